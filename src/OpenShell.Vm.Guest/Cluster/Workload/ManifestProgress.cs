using System.Globalization;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>What the applying of the image's own manifests and that of the user's, which come after them, tell one another.</summary>
internal sealed class ManifestProgress
{
    private readonly TaskCompletionSource<IReadOnlyList<ManifestDocument>> _image = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<UserManifests> _user = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The image's own, once they were applied, or refused.</summary>
    public Task<IReadOnlyList<ManifestDocument>> Image => _image.Task;

    /// <summary>What became of the user's at the first look into their folder.</summary>
    public Task<UserManifests> User => _user.Task;

    /// <summary>The image's own were applied.</summary>
    public void ImageIsDone(IReadOnlyList<ManifestDocument> documents) => _image.TrySetResult(documents);

    /// <summary>The user's folder was gone through.</summary>
    public void UserIsSeen(UserManifests seen) => _user.TrySetResult(seen);
}

/// <summary>The user's folder of manifests.</summary>
/// <param name="Applied">How many files were applied, now or before.</param>
/// <param name="Refused">What is wrong with the others, which are tried again.</param>
internal sealed record UserManifests(int Applied, IReadOnlyList<string> Refused)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Applied > 0 ? $"; {Applied} of your manifests" : "")}{(Refused.Count > 0 ? $"; refused, and tried again: {string.Join("; ", Refused)}" : "")}");
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Snapshots;

/// <summary>A file of a saved machine, as it was when it was made. At use size, inode and times are compared, which costs nothing; its content is hashed when it is made and when somebody asks for it.</summary>
/// <param name="Name">In its folder.</param>
/// <param name="Size">In bytes, holes among them.</param>
/// <param name="Hash">Of its content (<see cref="SparseHash"/>).</param>
/// <param name="Stamp">What the file system says of it.</param>
internal sealed record SavedFile(string Name, long Size, string Hash, FileStamp Stamp)
{
    /// <summary>Hashes it where it is now, and is to stay.</summary>
    public static async Task<SavedFile> MakeAsync(string folder, string name, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, name);
        var stamp = HostFiles.Stamp(path) ?? throw new FileNotFoundException("It was there a moment ago.", path);
        return new SavedFile(name, stamp.Size, await SparseHash.OfAsync(path, null, cancellationToken).ConfigureAwait(false), stamp);
    }

    /// <summary>The same content at another place, or by another name.</summary>
    public SavedFile At(string folder, string name) => (this with { Name = name }).At(folder);

    /// <summary>The same content at another place.</summary>
    public SavedFile At(string folder) => this with { Stamp = HostFiles.Stamp(Path.Combine(folder, Name)) ?? throw new FileNotFoundException("It was there a moment ago.", Path.Combine(folder, Name)) };

    /// <summary>How it has changed, for a person; <see langword="null"/>: it has not.</summary>
    /// <param name="folder">Where it is.</param>
    /// <param name="isShared">Others may have names for it: a name that comes or goes changes the file's time of change, and no content.</param>
    public string? Change(string folder, bool isShared = false)
    {
        var path = Path.Combine(folder, Name);
        if (HostFiles.Stamp(path) is not { } now)
            return $"{path} is missing";
        if (now.Size != Size)
            return $"{path} has {now.Size} bytes instead of {Size}";
        return now == Stamp || (isShared && now with { ChangedNanoseconds = Stamp.ChangedNanoseconds } == Stamp) ? null : $"{path} was changed or replaced since it was made";
    }

    /// <summary>Whether its content is what it was.</summary>
    public async Task<Fault?> VerifyAsync(string folder, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path))
            return Damaged($"{path} is missing.");
        if (new FileInfo(path).Length is var size && size != Size)
            return Damaged($"{path} has {size} bytes instead of {Size}.");
        var hash = await SparseHash.OfAsync(path, onBytes, cancellationToken).ConfigureAwait(false);
        return hash == Hash ? null : Damaged($"{path} is damaged: its content hashes to {hash} instead of {Hash}.");
    }

    private static Fault Damaged(string what) => new()
    {
        Code = "snapshot.damaged",
        What = what,
        Remedy = "Delete its folder: the instance then boots from its disk.",
    };
}

using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.State;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>
/// The user's folder of manifests, as k3s has one: what is put there is applied, what is changed is applied again, and what was made of a file goes with it. A file beside which there
/// is one named <c>FILE.skip</c> is left alone. What is wrong with one file is said, as an event of the node and on the console, and stops no other.
/// https://docs.k3s.io/installation/packaged-components#auto-deploying-manifests-addons
/// </summary>
internal sealed class ManifestWatcher(ApiClient api, string node, ManifestProgress progress)
{
    // A look is a listing of a folder. What fails is tried again by itself, since what it needs may come later; a kind that is not known yet for some seconds at once.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2), TryAgainAfter = TimeSpan.FromSeconds(30), Patience = TimeSpan.FromSeconds(10);

    private readonly ManifestApplier _applier = new(api, Patience);
    private readonly EventRecorder _events = new(api);
    private readonly AppliedManifests _applied = new(StateLayout.AppliedManifests);
    private readonly Dictionary<string, FileStamp> _seen = [], _handled = [];
    private readonly Dictionary<string, long> _tryAgainAt = [];
    private readonly Dictionary<string, string> _refused = [];
    private bool _isFirstLook = true;

    /// <summary>Looks until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(StateLayout.Manifests);
        var kept = new List<string>();
        foreach (var document in await progress.Image.WaitAsync(cancellationToken).ConfigureAwait(false))
        {
            if (await _applier.PathOfAsync(document.Header, cancellationToken).ConfigureAwait(false) is { } path)
                kept.Add(path);
        }

        while (true)
        {
            await LookAsync(kept, cancellationToken).ConfigureAwait(false);
            progress.UserIsSeen(new UserManifests(_applied.All.Count(a => a.Value.Hash.Length > 0), [.. _refused.Values]));
            _isFirstLook = false;
            await Task.Delay(LookEvery, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task LookAsync(IReadOnlyList<string> kept, CancellationToken cancellationToken)
    {
        var files = ManifestFolder.Files(StateLayout.Manifests).ToDictionary(f => Path.GetFileName(f)!);
        foreach (var (name, file) in files)
        {
            if (!File.Exists(file + ".skip") && IsToBeHandled(name, file))
                await HandleAsync(name, file, kept, cancellationToken).ConfigureAwait(false);
        }

        foreach (var (name, applied) in _applied.All)
        {
            if (files.ContainsKey(name) || File.Exists(Path.Combine(StateLayout.Manifests, name + ".skip")) || !IsTime(name))
                continue;
            if (await DeleteAsync(name, applied.Objects, kept, cancellationToken).ConfigureAwait(false))
            {
                _applied.Forget(name);
                _handled.Remove(name);
                Settle(name);
                KernelConsole.Say($"the manifest {name} is gone: {applied.Objects.Count} objects deleted");
            }
        }
    }

    /// <summary>New or changed, and as it was at the last look: whoever writes it is probably done. What is there when the machine starts is not being written.</summary>
    private bool IsToBeHandled(string name, string file)
    {
        var stamp = FileStamp.Of(file);
        var isSettled = _isFirstLook || _seen.GetValueOrDefault(name) == stamp;
        _seen[name] = stamp;
        if (_handled.GetValueOrDefault(name) != stamp)
            return isSettled;
        return _tryAgainAt.ContainsKey(name) && IsTime(name);
    }

    private bool IsTime(string name) => Uptime.Nanoseconds >= _tryAgainAt.GetValueOrDefault(name);

    private async Task HandleAsync(string name, string file, IReadOnlyList<string> kept, CancellationToken cancellationToken)
    {
        var stamp = FileStamp.Of(file);
        var before = _applied.All.GetValueOrDefault(name, AppliedManifest.None);
        string text;
        try
        {
            text = await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await ReportAsync(name, exception.Message, cancellationToken).ConfigureAwait(false);
            return;
        }

        _handled[name] = stamp;
        var hash = Marker.HashOf([text]);
        if (hash == before.Hash)
        {
            Settle(name);
            return;
        }

        IReadOnlyList<ManifestDocument> documents;
        try
        {
            documents = ManifestReader.Read(name, text);
        }
        catch (ManifestException e)
        {
            await ReportAsync(name, e.Message, cancellationToken).ConfigureAwait(false);
            return;
        }

        var (objects, errors) = await ApplyAsync(name, documents, before, cancellationToken).ConfigureAwait(false);
        if (errors.Count > 0)
        {
            await ReportAsync(name, string.Join("; ", errors), cancellationToken).ConfigureAwait(false);
            return;
        }

        // What an earlier version of the file had, and this one has not.
        if (!await DeleteAsync(name, before.Objects, [.. kept, .. objects], cancellationToken).ConfigureAwait(false))
            return;
        _applied.Write(name, new AppliedManifest(hash, objects));
        Settle(name);
        KernelConsole.Say($"the manifest {name} is applied: {objects.Count} objects");
    }

    private async Task<(IReadOnlyList<string> Objects, IReadOnlyList<string> Errors)> ApplyAsync(
        string name, IReadOnlyList<ManifestDocument> documents, AppliedManifest before, CancellationToken cancellationToken)
    {
        var objects = new List<string>();
        var errors = new List<string>();
        foreach (var document in documents)
        {
            // Before it is made, where its path is known: an object that exists and is not kept would stay when its file goes.
            await NoteAsync(document.Header).ConfigureAwait(false);
            if (await _applier.ApplyAsync(document, cancellationToken).ConfigureAwait(false) is { } error)
                errors.Add($"{document.Source}: {error}");
            // Its kind may be known only now.
            await NoteAsync(document.Header).ConfigureAwait(false);
        }

        return (objects, errors);

        async Task NoteAsync(ManifestHeader header)
        {
            if (await TryPathAsync(header, cancellationToken).ConfigureAwait(false) is not { } path || objects.Contains(path))
                return;
            objects.Add(path);
            _applied.Write(name, new AppliedManifest("", [.. before.Objects.Union(objects)]));
        }
    }

    private async Task<string?> TryPathAsync(ManifestHeader header, CancellationToken cancellationToken)
    {
        try
        {
            return await _applier.PathOfAsync(header, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Deletes objects that neither another file nor the image names.</summary>
    private async Task<bool> DeleteAsync(string name, IReadOnlyList<string> objects, IEnumerable<string> kept, CancellationToken cancellationToken)
    {
        var others = _applied.All.Where(a => a.Key != name).SelectMany(a => a.Value.Objects);
        foreach (var path in AppliedManifest.ToDelete(objects, kept.Concat(others)))
        {
            try
            {
                await api.DeleteAsync(path, null, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException refusal) when (refusal.Status is System.Net.HttpStatusCode.Forbidden or System.Net.HttpStatusCode.MethodNotAllowed)
            {
                // Such as the namespace "default": it will not be let go later either.
                await WarnAsync(name, $"{path} stays: {refusal.Message}", cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is ApiException or HttpRequestException)
            {
                await ReportAsync(name, $"{path} could not be deleted: {exception.Message}", cancellationToken).ConfigureAwait(false);
                return false;
            }
        }

        return true;
    }

    private void Settle(string name)
    {
        _tryAgainAt.Remove(name);
        _refused.Remove(name);
    }

    private Task ReportAsync(string name, string error, CancellationToken cancellationToken)
    {
        _tryAgainAt[name] = Uptime.Nanoseconds + (TryAgainAfter.Ticks * 100);
        _refused[name] = error;
        return WarnAsync(name, error, cancellationToken);
    }

    private Task WarnAsync(string name, string error, CancellationToken cancellationToken) =>
        // In Kubernetes a node's events name its uid as the node's name (client-go, tools/reference).
        _events.WarnAsync(new ObjectReference("v1", "Node", null, node, node), "ManifestRefused", $"{StateLayout.Manifests}/{name}: {error}", cancellationToken);

    /// <summary>By what a file is seen to have changed.</summary>
    private readonly record struct FileStamp(long Length, DateTime Written)
    {
        public static FileStamp Of(string file)
        {
            var info = new FileInfo(file);
            return info.Exists ? new FileStamp(info.Length, info.LastWriteTimeUtc) : default;
        }
    }
}

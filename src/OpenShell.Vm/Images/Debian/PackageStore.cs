using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Debian;

/// <summary>Downloaded packages in the cache, by the SHA-256 that the signed lists promised. What is there once is not fetched again.</summary>
internal sealed class PackageStore(CacheLayout layout)
{
    /// <summary>Absolute path of a package's file; it must have been fetched.</summary>
    public string PathOf(PinnedPackage package) => layout.Package(package.Sha256);

    /// <summary>Fetches what is missing of a resolution, and checks each file's hash. Reports bytes done of bytes in all.</summary>
    public async Task FetchAsync(PackageLock locked, PrivateApt apt, Tools tools, Action<long, long>? onProgress, CancellationToken cancellationToken)
    {
        var missing = locked.Packages.Where(p => !IsThere(p)).ToList();
        if (missing.Count == 0)
            return;
        Directory.CreateDirectory(layout.Packages);

        // One for each fetch: packages of different suites are fetched at the same time.
        var incoming = Path.Combine(layout.Packages, $"incoming-{Guid.NewGuid():N}");
        Directory.CreateDirectory(incoming);
        try
        {
            using var watched = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var watching = WatchAsync(incoming, missing.Sum(p => p.Size), onProgress, watched.Token);
            try
            {
                await DownloadAsync(missing, incoming, apt, tools, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await watched.CancelAsync().ConfigureAwait(false);
                await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

                // What did arrive whole is kept, even if the rest failed: the next attempt begins there.
                await KeepAsync(incoming, missing).ConfigureAwait(false);
            }
        }
        finally
        {
            HostFiles.DeleteFolder(incoming);
        }

        if (missing.FirstOrDefault(p => !IsThere(p)) is { } wrong)
        {
            throw ImageFaults.Make(
                "image.package-mismatch",
                $"{wrong.Name} {wrong.Version} was fetched, but its SHA-256 is not the one in the signed package list.",
                $"Run '{ImageFaults.BuildCommand} --refresh' to resolve the packages anew; if it happens again, something between here and the mirror changes files.",
                tools.LogFile);
        }
    }

    private bool IsThere(PinnedPackage package) => new FileInfo(PathOf(package)) is { Exists: true } file && file.Length == package.Size;

    private static async Task DownloadAsync(List<PinnedPackage> missing, string folder, PrivateApt apt, Tools tools, CancellationToken cancellationToken)
    {
        if (!apt.HasLists)
            await apt.UpdateAsync(tools, cancellationToken).ConfigureAwait(false);
        string[] arguments = missing[0].Architecture == "source"
            ? ["source", "--download-only", .. missing.Select(p => $"{p.Name}={p.Version}").Distinct()]
            : ["download", .. missing.Select(p => $"{p.Name}={p.Version}")];
        try
        {
            await apt.GetAsync(arguments, tools, cancellationToken, folder).ConfigureAwait(false);
            return;
        }
        catch (ToolFailedException)
        {
            // The lists may be older than the mirror, which forgets versions that were superseded.
            await apt.UpdateAsync(tools, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await apt.GetAsync(arguments, tools, cancellationToken, folder).ConfigureAwait(false);
        }
        catch (ToolFailedException e) when (e.LastLines.Any(l => l.Contains("was not found", StringComparison.Ordinal) || l.Contains("Can not find version", StringComparison.Ordinal)))
        {
            throw ImageFaults.Make(
                "image.package-gone",
                $"The mirror no longer has a version that was resolved earlier: {e.LastLines.Last(l => l.StartsWith("E:", StringComparison.Ordinal))}",
                $"Run '{ImageFaults.BuildCommand} --refresh' to use the current versions.",
                tools.LogFile,
                e);
        }
        catch (ToolFailedException e)
        {
            throw PrivateApt.MirrorFault(e, tools);
        }
    }

    private async Task KeepAsync(string incoming, List<PinnedPackage> missing)
    {
        var wanted = missing.Select(p => p.Sha256).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(incoming).ToList())
        {
            var hash = await HostFiles.Sha256Async(file, CancellationToken.None).ConfigureAwait(false);
            if (!wanted.Contains(hash))
                continue;
            var whole = file;
            if (new FileInfo(file).LinkTarget is not null)
            {
                // From a mirror on this host's own disk apt only links.
                whole = file + ".copy";
                File.Copy(file, whole);
            }

            HostFiles.SyncFile(whole);
            File.Move(whole, layout.Package(hash), overwrite: true);
        }
    }

    private static async Task WatchAsync(string folder, long total, Action<long, long>? onProgress, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (onProgress is not null && await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            onProgress(Math.Min(HostFiles.FolderSize(folder), total), total);
    }
}

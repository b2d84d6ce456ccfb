using System.Globalization;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Debian;

/// <summary>Turns a request into exact versions and hashes, by apt's own solver over freshly fetched lists.</summary>
internal static class PackageResolver
{
    /// <summary>Resolves; the lists must be there.</summary>
    public static async Task<PackageLock> ResolveAsync(PackageRequest request, PrivateApt apt, Tools tools, CancellationToken cancellationToken)
    {
        try
        {
            var packages = request.Scope == PackageScope.Source
                ? await SourcesAsync(request, apt, tools, cancellationToken).ConfigureAwait(false)
                : await BinariesAsync(request, apt, tools, cancellationToken).ConfigureAwait(false);
            return new PackageLock { Suite = request.Suite, ResolvedAt = DateTimeOffset.UtcNow, Packages = packages };
        }
        catch (ToolFailedException e)
        {
            throw ImageFaults.Make(
                "image.package-unresolved",
                $"The packages for {request.Name} cannot be resolved in {request.Suite}: {e.LastLine}",
                $"Check that the mirror in this host's apt sources carries {request.Suite} for {request.Architecture}.",
                tools.LogFile,
                e);
        }
    }

    private static async Task<IReadOnlyList<PinnedPackage>> BinariesAsync(PackageRequest request, PrivateApt apt, Tools tools, CancellationToken cancellationToken)
    {
        // apt counts itself as essential (it must not remove itself); an image that is never upgraded needs none.
        string[] wanted = request.Scope == PackageScope.System
            ? ["?and(?essential,?not(?name(^apt$)))", .. request.Packages]
            : [.. request.Packages];
        var simulated = await apt.GetAsync(["--simulate", "--yes", "install", .. wanted], tools, cancellationToken).ConfigureAwait(false);
        var chosen = Simulated(simulated);
        if (request.Scope == PackageScope.Alone)
            chosen = [.. chosen.Where(c => request.Packages.Contains(c.Name) || request.Packages.Any(p => IsVersionOf(c.Name, p)))];

        var shown = await apt.CacheAsync(["show", "--no-all-versions", .. chosen.Select(c => $"{c.Name}={c.Version}")], tools, cancellationToken).ConfigureAwait(false);
        var stanzas = ControlFile.Parse(shown.Split('\n')).ToDictionary(s => (s["Package"], s["Version"]));
        return [.. chosen.Select(c => stanzas[c]).Select(s => new PinnedPackage
        {
            Name = s["Package"],
            Version = s["Version"],
            Architecture = s["Architecture"],
            Sha256 = s["SHA256"],
            Size = long.Parse(s["Size"], CultureInfo.InvariantCulture),
        })];
    }

    /// <summary>The lines <c>Inst NAME (VERSION ORIGIN [ARCH])</c> of a simulation, in their order.</summary>
    internal static IReadOnlyList<(string Name, string Version)> Simulated(string output) =>
        [.. from line in output.Split('\n')
            where line.StartsWith("Inst ", StringComparison.Ordinal)
            let words = line.Split(' ')
            select (words[1], words.First(w => w.StartsWith('(')).TrimStart('('))];

    /// <summary>Whether <paramref name="package"/> is the versioned one behind a pointer: <c>linux-image-6.1.0-56-cloud-amd64</c> of <c>linux-image-cloud-amd64</c>.</summary>
    internal static bool IsVersionOf(string package, string pointer)
    {
        var parts = pointer.Split('-');
        for (var at = 1; at < parts.Length; at++)
        {
            var (start, end) = (string.Join('-', parts[..at]) + "-", "-" + string.Join('-', parts[at..]));
            if (package.Length > start.Length + end.Length && package.StartsWith(start, StringComparison.Ordinal) && package.EndsWith(end, StringComparison.Ordinal)
                && char.IsAsciiDigit(package[start.Length]))
                return true;
        }

        return false;
    }

    private static async Task<IReadOnlyList<PinnedPackage>> SourcesAsync(PackageRequest request, PrivateApt apt, Tools tools, CancellationToken cancellationToken)
    {
        var shown = await apt.CacheAsync(["showsrc", "--only-source", .. request.Packages], tools, cancellationToken).ConfigureAwait(false);
        var pinned = new List<PinnedPackage>();
        foreach (var versions in ControlFile.Parse(shown.Split('\n')).Where(s => s.ContainsKey("Checksums-Sha256")).GroupBy(s => s["Package"]))
        {
            var newest = await NewestAsync([.. versions], tools, cancellationToken).ConfigureAwait(false);

            // Checksums-Sha256: lines of hash, size, file name.
            foreach (var line in newest["Checksums-Sha256"].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var hash, var size, var file])
                {
                    pinned.Add(new PinnedPackage
                    {
                        Name = versions.Key,
                        Version = newest["Version"],
                        Architecture = "source",
                        Sha256 = hash,
                        Size = long.Parse(size, CultureInfo.InvariantCulture),
                        File = file,
                    });
                }
            }
        }

        return pinned;
    }

    // Debian's order of versions is dpkg's business.
    private static async Task<IReadOnlyDictionary<string, string>> NewestAsync(
        IReadOnlyList<IReadOnlyDictionary<string, string>> versions, Tools tools, CancellationToken cancellationToken)
    {
        var newest = versions[0];
        foreach (var other in versions.Skip(1))
        {
            if (await IsNewerAsync(other["Version"], newest["Version"], tools, cancellationToken).ConfigureAwait(false))
                newest = other;
        }

        return newest;
    }

    private static async Task<bool> IsNewerAsync(string version, string than, Tools tools, CancellationToken cancellationToken)
    {
        try
        {
            await tools.RunAsync(new ToolCommand { Program = "dpkg", Arguments = ["--compare-versions", version, "gt", than] }, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ToolFailedException e) when (e.ExitCode == 1)
        {
            return false;
        }
    }
}

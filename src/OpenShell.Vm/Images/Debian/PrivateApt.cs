using System.Text;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Debian;

/// <summary>
/// apt with state of its own in the cache, for one suite: it needs no root and touches nothing of the host, but takes the host's mirrors, proxies
/// and keys. Signatures are checked by apt as always; from the signed lists come the hashes by which everything is known from then on.
/// </summary>
internal sealed class PrivateApt(string folder, string suite, string architecture, DebianArchive archive)
{
    /// <summary>Package lists of a suite, as fetched and unpacked.</summary>
    private const long SpaceForLists = 200 << 20;

    private string Lists => Path.Combine(folder, "lists");

    private string Archives => Path.Combine(folder, "archives");

    /// <summary>Whether package lists were fetched at some time.</summary>
    public bool HasLists => Directory.Exists(Lists) && Directory.EnumerateFiles(Lists, "*Packages*").Any();

    /// <summary>Fetches the suite's package lists anew.</summary>
    /// <exception cref="Faults.FaultException"><c>image.mirror-unreachable</c>.</exception>
    public async Task UpdateAsync(Tools tools, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(Lists, "partial"));
        Directory.CreateDirectory(Path.Combine(Archives, "partial"));
        await File.WriteAllTextAsync(Path.Combine(folder, "status"), "", cancellationToken).ConfigureAwait(false);
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "sources.list"), [.. archive.Lines(suite), .. archive.Lines(suite, source: true)], cancellationToken).ConfigureAwait(false);
        try
        {
            await RunAsync("apt-get", ["update"], tools, null, cancellationToken).ConfigureAwait(false);
        }
        catch (ToolFailedException e)
        {
            throw MirrorFault(e, tools);
        }
    }

    /// <summary>Runs apt-get against this state.</summary>
    public Task<string> GetAsync(IReadOnlyList<string> arguments, Tools tools, CancellationToken cancellationToken, string? workingFolder = null) =>
        RunAsync("apt-get", arguments, tools, workingFolder, cancellationToken);

    /// <summary>Runs apt-cache against this state.</summary>
    public Task<string> CacheAsync(IReadOnlyList<string> arguments, Tools tools, CancellationToken cancellationToken) =>
        RunAsync("apt-cache", arguments, tools, null, cancellationToken);

    /// <summary>What apt says when it cannot fetch, as a fault: its own words, and what to do. A full disk it takes for a fault of the mirror.</summary>
    public static Faults.FaultException MirrorFault(ToolFailedException e, Tools tools)
    {
        var folder = Path.GetDirectoryName(tools.LogFile)!;
        var free = HostFiles.FreeBytes(folder);
        if (free < SpaceForLists)
            return ImageFaults.NoSpace(folder, SpaceForLists, free, e);
        return ImageFaults.Make(
            "image.mirror-unreachable",
            $"Debian's mirror did not give what was asked for: {e.LastLines.FirstOrDefault(l => l.StartsWith("E:", StringComparison.Ordinal)) ?? e.LastLine}",
            "Check the network and that 'apt-get update' works on this host, then run the same again: what was done so far is kept.",
            tools.LogFile,
            e);
    }

    private async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, Tools tools, string? workingFolder, CancellationToken cancellationToken)
    {
        // Of the host's configuration only how to fetch (proxies, certificates) applies; its hooks, which run after every update, do not.
        var fetching = await tools.RunAsync(new ToolCommand { Program = "apt-config", Arguments = ["dump", "Acquire"], Recorded = false }, cancellationToken).ConfigureAwait(false);
        var configuration = Path.Combine(folder, "apt.conf");
        await HostFiles.WriteWholeAsync(
            configuration, Encoding.UTF8.GetBytes(fetching + "Dir::Etc::Parts \"/dev/null\";\nDir::Etc::Main \"/dev/null\";\n"), cancellationToken, UnixFileMode.UserRead | UnixFileMode.UserWrite).ConfigureAwait(false);
        return await tools.RunAsync(
            new ToolCommand
            {
                Program = program,
                Arguments = [.. Options().SelectMany(o => (string[])["-o", o]), .. arguments],
                Environment = new Dictionary<string, string?> { ["APT_CONFIG"] = configuration },
                Folder = workingFolder,
            },
            cancellationToken).ConfigureAwait(false);
    }

    private IEnumerable<string> Options() =>
    [
        $"Dir::Etc::SourceList={Path.Combine(folder, "sources.list")}",
        "Dir::Etc::SourceParts=/dev/null",
        // The host's pins are about the host.
        "Dir::Etc::Preferences=/dev/null",
        "Dir::Etc::PreferencesParts=/dev/null",
        $"Dir::State::Lists={Lists}",
        // Nothing is installed: every dependency is named.
        $"Dir::State::status={Path.Combine(folder, "status")}",
        $"Dir::State::extended_states={Path.Combine(folder, "extended_states")}",
        $"Dir::Cache={folder}",
        $"Dir::Cache::archives={Archives}",
        "Dir::Cache::pkgcache=",
        "Dir::Cache::srcpkgcache=",
        $"APT::Architecture={architecture}",
        $"APT::Architectures={architecture}",
        "APT::Install-Recommends=false",
        // As root, apt would fetch as the user _apt, who cannot enter a private cache.
        "APT::Sandbox::User=root",
        // A list that could not be fetched is an error, not a warning.
        "APT::Update::Error-Mode=any",
        // What hosts with desktops add to every update.
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
        "Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false",
        "Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled=false",
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
        "Acquire::Languages=none",
        "Acquire::Retries=3",
        "Acquire::http::Timeout=30",
        "Acquire::https::Timeout=30",
        "Dpkg::Use-Pty=0",
    ];
}

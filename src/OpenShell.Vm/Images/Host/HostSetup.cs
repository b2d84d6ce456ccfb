using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Images.Host;

/// <summary>Finds out which packages this host lacks, and installs them (as root only). Nothing but packages is ever put into the host.</summary>
public static class HostSetup
{
    /// <summary>What a user without root's rights types to have the packages installed.</summary>
    public const string SetupCommand = "sudo ./gateway setup";

    // Another package manager (unattended upgrades) may hold dpkg's lock for as long as it installs.
    private const int LockTimeoutSeconds = 600;

    /// <summary>Packages that are missing or too old to build images and to run machines; empty when the host is ready. Asks dpkg only, no network; some 20 ms.</summary>
    /// <exception cref="FaultException"><c>setup.unsupported-host</c>: not a Debian with apt.</exception>
    public static Task<IReadOnlyList<MissingPackage>> MissingAsync(CancellationToken cancellationToken = default) => MissingAsync(null, cancellationToken);

    /// <summary>
    /// The same for some purposes only: <see cref="HostPackages.Run"/>, <see cref="HostPackages.Test"/>, kinds of artifacts; <see langword="null"/>: everything but what only tests and <c>gateway kernel build</c> need.
    /// </summary>
    /// <exception cref="FaultException"><c>setup.unsupported-host</c>: not a Debian with apt.</exception>
    public static async Task<IReadOnlyList<MissingPackage>> MissingAsync(IReadOnlyCollection<string>? purposes, CancellationToken cancellationToken = default)
    {
        if (!OperatingSystem.IsLinux())
            throw UnsupportedHost();
        var wanted = HostPackages.All.Where(p => purposes is null ? p.NeededFor.Any(n => !HostPackages.OnRequest.Contains(n)) : p.NeededFor.Any(purposes.Contains)).ToList();
        var installed = await Dpkg.InstalledAsync([.. wanted.Select(p => p.Name)], cancellationToken).ConfigureAwait(false);
        var missing = new List<MissingPackage>();
        foreach (var package in wanted)
        {
            var version = installed.GetValueOrDefault(package.Name);
            if (version is null && package.Program is { } program && IsInPath(program))
                continue;
            if (version is null || (package.MinimumVersion is { } least && !await Dpkg.IsAtLeastAsync(version, least, cancellationToken).ConfigureAwait(false)))
                missing.Add(new MissingPackage(package, version));
        }

        return missing;
    }

    /// <summary>Installs what <c>MissingAsync</c> names. Say it to the user first. Takes the host's apt configuration as it is, and the backports by a temporary one beside it.</summary>
    /// <exception cref="FaultException"><c>setup.not-root</c> with the one command to type; <c>setup.install-failed</c> with apt's log; <c>image.mirror-unreachable</c>.</exception>
    public static async Task InstallAsync(IReadOnlyList<MissingPackage> missing, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(missing);
        if (missing.Count == 0)
            return;
        if (!Environment.IsPrivilegedProcess)
            throw NotRoot(missing);

        var folder = Directory.CreateTempSubdirectory("openshell-setup-").FullName;
        var step = new StepReporter("packages", "Host packages", progress);
        var tools = new Tools(Path.Combine(folder, "apt.log"));
        try
        {
            step.State(BuildState.Started, string.Join(' ', missing.Select(m => m.Package.Name)));
            foreach (var suite in missing.GroupBy(m => m.Package.Suite).OrderBy(g => g.Key, StringComparer.Ordinal))
                await InstallAsync(suite.Key, [.. suite.Select(m => m.Package.Name)], folder, tools, step, cancellationToken).ConfigureAwait(false);
            step.State(BuildState.Completed);
        }
        catch (Exception e)
        {
            step.State(BuildState.Failed, e.Message);
            throw;
        }

        HostFiles.DeleteFolder(folder); // kept after a failure: the log is there
    }

    internal static FaultException UnsupportedHost() => ImageFaults.Make(
        "setup.unsupported-host",
        "Images are built with Debian's tools, and this host has no dpkg.",
        "Build them on Debian 12, and copy the image cache from there. " + HostPackages.WithoutDebian);

    private static bool IsInPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));

    private static FaultException NotRoot(IReadOnlyList<MissingPackage> missing) => ImageFaults.Make(
        "setup.not-root",
        $"Packages are missing on this host, and only root may install them: {string.Join(", ", missing.Select(m => m.Package.Name))}.",
        $"Run '{SetupCommand}', then the same again.");

    private static async Task InstallAsync(string? suite, IReadOnlyList<string> packages, string folder, Tools tools, StepReporter step, CancellationToken cancellationToken)
    {
        List<string> options = ["-o", string.Create(CultureInfo.InvariantCulture, $"DPkg::Lock::Timeout={LockTimeoutSeconds}"), "-o", "Dpkg::Use-Pty=0", "-o", "APT::Install-Recommends=false"];
        if (suite is not null)
        {
            // Sources and lists of their own: the host's own stay without backports.
            var sources = Path.Combine(folder, suite + ".list");
            var lists = Path.Combine(folder, suite);
            Directory.CreateDirectory(Path.Combine(lists, "partial"));
            await File.WriteAllLinesAsync(sources, DebianArchive.OfHost().Lines(suite), cancellationToken).ConfigureAwait(false);
            options.AddRange(["-o", "Dir::Etc::SourceList=" + sources, "-o", "Dir::Etc::SourceParts=/dev/null", "-o", "Dir::State::Lists=" + lists, "-o", "APT::Sandbox::User=root"]);
        }

        // The host's lists are only fetched where they do not do: a fresh machine has none, an old one has stale ones.
        if (suite is not null || !await CanInstallAsync(options, packages, tools, cancellationToken).ConfigureAwait(false))
        {
            step.Running("package lists" + (suite is null ? "" : " of " + suite));
            await UpdateAsync(options, tools, cancellationToken).ConfigureAwait(false);
        }

        string[] install = [.. options, .. suite is null ? (string[])[] : ["--target-release", suite], "install", "--yes", .. packages];
        try
        {
            await tools.RunAsync(AptGet(install), cancellationToken, line => step.Running(line)).ConfigureAwait(false);
        }
        catch (ToolFailedException) when (suite is null)
        {
            step.Running("package lists");
            await UpdateAsync(options, tools, cancellationToken).ConfigureAwait(false);
            await LastAttemptAsync(install, packages, tools, step, cancellationToken).ConfigureAwait(false);
        }
        catch (ToolFailedException e)
        {
            throw Failed(packages, tools, e);
        }
    }

    private static async Task LastAttemptAsync(string[] install, IReadOnlyList<string> packages, Tools tools, StepReporter step, CancellationToken cancellationToken)
    {
        try
        {
            await tools.RunAsync(AptGet(install), cancellationToken, line => step.Running(line)).ConfigureAwait(false);
        }
        catch (ToolFailedException e)
        {
            throw Failed(packages, tools, e);
        }
    }

    private static FaultException Failed(IReadOnlyList<string> packages, Tools tools, ToolFailedException e) => ImageFaults.Make(
        "setup.install-failed",
        $"apt-get could not install {string.Join(", ", packages)}: {e.LastLines.FirstOrDefault(l => l.StartsWith("E:", StringComparison.Ordinal)) ?? e.Message}",
        $"See the log, repair it (often 'apt-get --fix-broken install'), then run '{SetupCommand}' again.",
        tools.LogFile,
        e);

    private static async Task<bool> CanInstallAsync(List<string> options, IReadOnlyList<string> packages, Tools tools, CancellationToken cancellationToken)
    {
        try
        {
            await tools.RunAsync(AptGet([.. options, "install", "--simulate", "--yes", .. packages]), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ToolFailedException)
        {
            return false;
        }
    }

    private static async Task UpdateAsync(List<string> options, Tools tools, CancellationToken cancellationToken)
    {
        try
        {
            await tools.RunAsync(AptGet([.. options, "update"]), cancellationToken).ConfigureAwait(false);
        }
        catch (ToolFailedException e)
        {
            throw PrivateApt.MirrorFault(e, tools);
        }
    }

    private static ToolCommand AptGet(IReadOnlyList<string> arguments) => new()
    {
        Program = "apt-get",
        Arguments = arguments,
        Environment = new Dictionary<string, string?> { ["DEBIAN_FRONTEND"] = "noninteractive", ["NEEDRESTART_MODE"] = "l" },
    };
}

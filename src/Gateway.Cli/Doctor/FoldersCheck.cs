using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>The folders that are written to: whether they can be, and what space there is.</summary>
internal sealed class FoldersCheck : IHostCheck
{
    // An image build with its packages, sources and compilers' cache needs some 6 GB, an instance some 2 GB.
    private const long CacheSpace = 8_000_000_000;
    private const long DataSpace = 4_000_000_000;

    // With less a start refuses to make a disk.
    private const long LeastDataSpace = 1L << 30;

    public string Name => "folders";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var directories = context.Host.Directories;
        return Task.FromResult<IReadOnlyList<CheckResult>>(
        [
            Check("cache", directories.Cache, CacheSpace),
            Check("instances", directories.Data, DataSpace, HasDisk(directories) ? 0 : LeastDataSpace),
            Check("sockets", directories.Runtime, 0),
            Check("kubeconfig", directories.Kube, 0),
            Check("gateways", directories.OpenShellConfig, 0),
        ]);
    }

    /// <summary>By the numbers alone.</summary>
    internal static CheckResult Judge(string name, string folder, long free, long wanted, long least)
    {
        var finding = $"{folder}: {Units.Size(free)} free";
        return free >= wanted && free >= least
            ? new CheckResult(name, CheckState.Ok, finding)
            : new CheckResult(name, free < least ? CheckState.Failed : CheckState.Warning, finding, $"{Units.Size(Math.Max(wanted, least))} may be needed; 'gateway image prune' removes what is not.");
    }

    private static CheckResult Check(string name, string folder, long wanted, long least = 0)
    {
        var existing = folder;
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
            existing = parent;
        if (!Terminals.LibC.IsWritable(existing))
            return new CheckResult(name, CheckState.Failed, $"{existing} cannot be written to", "Make it writable, or set HOME or the XDG variables to folders that are.");
        return Judge(name, folder, new DriveInfo(existing).AvailableFreeSpace, wanted, least);
    }

    private static bool HasDisk(HostDirectories directories)
    {
        var files = InstanceFiles.For(directories, InstanceName.Parse(InstanceName.Default));
        return File.Exists(files.StateDisk) || File.Exists(files.RawStateDisk);
    }
}

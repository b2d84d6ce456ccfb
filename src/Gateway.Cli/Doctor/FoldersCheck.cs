using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>The folders that are written to: whether they can be, and what space there is.</summary>
internal sealed class FoldersCheck : IHostCheck
{
    // An image build with its packages, sources and compilers' cache needs some 6 GB, an instance some 2 GB.
    private const long CacheSpace = 8_000_000_000;
    private const long DataSpace = 4_000_000_000;

    public string Name => "folders";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var directories = context.Host.Directories;
        return Task.FromResult<IReadOnlyList<CheckResult>>(
        [
            Check("cache", directories.Cache, CacheSpace),
            Check("instances", directories.Data, DataSpace),
            Check("sockets", directories.Runtime, 0),
            Check("kubeconfig", directories.Kube, 0),
            Check("gateways", directories.OpenShellConfig, 0),
        ]);
    }

    private static CheckResult Check(string name, string folder, long wanted)
    {
        var existing = folder;
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
            existing = parent;
        if (!Terminals.LibC.IsWritable(existing))
            return new CheckResult(name, CheckState.Failed, $"{existing} cannot be written to", "Make it writable, or set HOME or the XDG variables to folders that are.");
        var free = new DriveInfo(existing).AvailableFreeSpace;
        return free < wanted
            ? new CheckResult(name, CheckState.Warning, $"{folder}: {Units.Size(free)} free", $"{Units.Size(wanted)} may be needed; 'gateway image prune' removes what is not.")
            : new CheckResult(name, CheckState.Ok, $"{folder}: {Units.Size(free)} free");
    }
}

using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Instances;

/// <summary>Makes instances of the data of one that is at rest, and of its memory where it is suspended. Whoever uses it holds the source's lock.</summary>
/// <param name="options">As given to the library.</param>
/// <param name="tool">What makes images; <see langword="null"/>: the host's.</param>
internal sealed class InstanceCloner(InstancesOptions options, QemuImg? tool = null)
{
    private readonly InstanceStore _store = new(options.Directories);

    /// <summary>Makes one; whole or not at all.</summary>
    /// <exception cref="FaultException">The name is taken, or the source is in no state to be cloned.</exception>
    internal async Task CloneAsync(string source, string destination, CancellationToken cancellationToken)
    {
        var from = _store.Files(InstanceName.Parse(source));
        var to = _store.Files(InstanceName.Parse(destination));
        RequireFree(to, destination);
        var config = _store.ReadConfig(InstanceName.Parse(source));
        var last = LocalInstances.LastStatus(from);
        LocalInstances.RequireUsable(options, from, source, last);

        var aside = AsideFolders.Create(from, "making");
        PrivateFolder.Ensure(aside);
        try
        {
            // Looked at before the disk is touched: it belongs to the disk as it is now.
            var memory = new Snapshot(from).ReadFitting();
            try
            {
                await ThinDisk.CopyToAsync(from, aside, cancellationToken, tool).ConfigureAwait(false);
            }
            finally
            {
                // Also when it was interrupted: the source's own disk may be another image by then, with the same content.
                if (memory is not null)
                    new Snapshot(from).FollowDisk(memory);
            }

            if (memory is not null)
                await new Snapshot(from).GiveToCloneAsync(memory, aside, cancellationToken).ConfigureAwait(false);
            InstanceStore.WriteOrigin(Path.Combine(aside, Path.GetFileName(to.Origin)), new InstanceOrigin
            {
                Source = source,
                ClonedAt = options.Time.GetUtcNow(),
                NodeName = InstanceStore.ReadOrigin(from)?.NodeName ?? source,
                Identity = Guid.NewGuid().ToString("N"),
            });
            InstanceStore.WriteConfigTo(Path.Combine(aside, Path.GetFileName(to.Config)), ForClone(config, last, destination));
            HostFiles.SyncFolder(aside);

            // In one step: a clone that is interrupted was never there. Two at one instant: the second finds the first's folder.
            Directory.Move(aside, to.Root);
        }
        catch (IOException) when (Directory.Exists(to.Root) && Directory.Exists(aside))
        {
            RequireFree(to, destination);
            throw;
        }
        finally
        {
            if (Directory.Exists(aside))
                Directory.Delete(aside, recursive: true);
        }
    }

    /// <summary>Refuses a name that an instance has.</summary>
    internal static void RequireFree(InstanceFiles files, string name)
    {
        if (Directory.Exists(files.Root))
        {
            throw new FaultException(new Fault
            {
                Code = "instance.exists",
                What = $"There is an instance {name} already.",
                Remedy = $"Give another name, or delete that one first with 'gateway delete --name {name}'.",
            });
        }
    }

    /// <summary>Ports belong to one instance; a disk is of a distribution, which the clone's own status cannot tell yet.</summary>
    private static InstanceConfig ForClone(InstanceConfig config, InstanceStatus? last, string name) => config with
    {
        Name = name,
        GatewayPort = null,
        Ports = FreeOf(config.Ports),
        AddedPorts = FreeOf(config.AddedPorts),
        Distribution = last?.Distribution ?? config.Distribution,
    };

    // A socket has no other end that could be chosen: it is its path.
    private static PortForward[] FreeOf(IReadOnlyList<PortForward> ports) => [.. ports.Where(port => port.Protocol != PortProtocol.Unix).Select(port => port with { HostPort = 0 })];
}

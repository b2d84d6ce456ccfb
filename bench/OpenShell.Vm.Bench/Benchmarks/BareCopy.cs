using System.Diagnostics;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>
/// The least that a copy of a golden image can take: an empty disk over the image's, gvproxy, the same QEMU with the same arguments, the load, and the first answer of the guest's agent. No identity of its own, no health check, no
/// supervisor, no command. What the product takes beyond this is its own doing.
/// </summary>
internal sealed class BareCopy : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly InstanceFiles _files;
    private ChildProcess? _gvproxy;
    private Machine? _machine;
    private GuestAgent? _agent;

    private BareCopy(InstanceFiles files) => _files = files;

    /// <summary>From nothing to the first answer.</summary>
    public double Seconds { get; private set; }

    /// <summary>The guest's agent.</summary>
    public GuestAgent Agent => _agent!;

    /// <summary>Starts one.</summary>
    public static async Task<BareCopy> StartAsync(BenchContext context, GoldenFiles golden)
    {
        const string Name = "bench-bare";
        var start = await context.Instances.PlanAsync(new InstanceConfig { Name = Name });
        var copy = new BareCopy(InstanceFiles.For(context.Home.Directories, InstanceName.Parse(Name)));
        try
        {
            await copy.RunAsync(start, golden);
            return copy;
        }
        catch
        {
            await copy.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a port of the host into the guest.</summary>
    public async Task ForwardAsync(int hostPort, int guestPort)
    {
        using var client = new GvproxyClient(_files.NetworkControlSocket);
        await client.ExposeAsync(new PortForward { HostPort = hostPort, GuestPort = guestPort }, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
            await _agent.DisposeAsync();
        if (_machine is not null)
            await _machine.DisposeAsync();
        if (_gvproxy is not null)
            await _gvproxy.DisposeAsync();
        HostFiles.DeleteFolder(_files.Run);
        HostFiles.DeleteFolder(_files.Root);
    }

    private async Task RunAsync(StartPlan start, GoldenFiles golden)
    {
        using var limit = new CancellationTokenSource(Limit);
        InstanceStore.CreateFolders(_files);
        var plan = start.Plan with { Memory = new GuestMemory(MemorySharing.Private, golden.Memory), Resume = new SavedMachine(golden.Devices, HoldsMemory: false) };
        var qemu = HypervisorCatalog.Find(plan.Hypervisor)!.Describe(plan, start.Host);
        var gvproxy = GvproxyCommandLine.Describe(start.Host.Gvproxy ?? throw new BenchException("gvproxy is missing; see 'gateway doctor'."), _files);

        var clock = Stopwatch.StartNew();
        Qcow2Overlay.Create(_files.StateDisk, golden.Disk, backingIsRaw: false, DiskImage.VirtualSize(golden.Disk));
        _gvproxy = ChildProcess.Start(gvproxy);
        await UnixSocket.WaitForFileAsync(_files.NetworkSocket, limit.Token);
        _machine = new Machine(qemu, plan);
        await _machine.LoadAsync(limit.Token);
        await _machine.ContinueAsync(limit.Token);
        _agent = await GuestAgent.ConnectAsync(plan.AgentSocket, cancellationToken: limit.Token);
        Seconds = clock.Elapsed.TotalSeconds;
    }
}

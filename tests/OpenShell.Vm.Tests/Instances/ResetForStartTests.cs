using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>A reset that a start is to follow: nothing is thrown away for one that is refused.</summary>
public sealed class ResetForStartTests : IDisposable
{
    private static readonly InstanceConfig Next = new() { Name = "test", Hypervisor = "qemu", Distribution = "upstream", Vcpus = 1, MemoryMib = 2048 };

    private readonly TestFolder _folder = new();
    private readonly TcpListener _busy = new(IPAddress.Loopback, 0);
    private readonly InstanceFiles _files;

    public ResetForStartTests()
    {
        _busy.Start();
        _files = _folder.Instance("test");
        InstanceStore.WriteConfig(_files, Next);
        File.WriteAllText(_files.RawStateDisk, "data");
    }

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories, Host = Made.Host() });

    private int BusyPort => ((IPEndPoint)_busy.LocalEndpoint).Port;

    public void Dispose()
    {
        _busy.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_wrong_with_the_start_is_told_while_all_is_there()
    {
        await RefusedAsync(Next with { Mounts = [new HostMount { HostPath = _folder.File("typo"), GuestPath = "/mnt/x" }] }, "mount.host-path");
        await RefusedAsync(Next with { Distribution = null, K3sBinary = _folder.File("no-k3s") }, null);
        await RefusedAsync(Next with { Workload = new() { Manifests = [_folder.File("no.yaml")] } }, null);
        await RefusedAsync(Next with { Kernel = _folder.File("no/kernel") }, "kernel.file");
        await RefusedAsync(Next with { Ports = [new PortForward { HostPort = BusyPort, GuestPort = 80 }] }, "network.port-busy");
        await RefusedAsync(Next with { GatewayPort = BusyPort }, "network.port-busy");

        // Without virtiofsd Debian's kernel mounts nothing.
        await RefusedAsync(Next with { Mounts = [new HostMount { HostPath = _folder.Path, GuestPath = "/mnt/x" }] }, "mount.kernel");
    }

    [Fact]
    public async Task A_forward_that_was_added_is_one_of_the_start_to_follow()
    {
        InstanceStore.WriteConfig(_files, Next with { AddedPorts = [new PortForward { HostPort = BusyPort, GuestPort = 80 }] });

        await RefusedAsync(Next, "network.port-busy");
    }

    [Fact]
    public async Task What_runs_is_not_reset()
    {
        using var running = InstanceLock.Acquire(_files, "test");

        await RefusedAsync(Next, "instance.running");
    }

    [Fact]
    public async Task A_start_that_can_be_finds_an_empty_disk()
    {
        await Instances.ResetForAsync(Next, TestContext.Current.CancellationToken);

        _files.ExistingStateDisk.ShouldBeNull();
        (await Instances.ConfigAsync("test", TestContext.Current.CancellationToken)).ShouldNotBeNull();
    }

    private async Task RefusedAsync(InstanceConfig next, string? code)
    {
        var faults = (await Should.ThrowAsync<FaultException>(() => Instances.ResetForAsync(next, TestContext.Current.CancellationToken))).Faults;
        if (code is not null)
            faults.ShouldHaveSingleItem().Code.ShouldBe(code);
        (await File.ReadAllTextAsync(_files.RawStateDisk, TestContext.Current.CancellationToken)).ShouldBe("data");
    }
}

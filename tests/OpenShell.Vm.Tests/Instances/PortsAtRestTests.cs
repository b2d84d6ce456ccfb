using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>Forwards of an instance that does not run: they are kept in its configuration.</summary>
public sealed class PortsAtRestTests : IDisposable
{
    private static readonly PortForward Web = new() { HostPort = 8080, GuestPort = 80 };

    private readonly TestFolder _folder = new();
    private readonly LocalInstances _instances;

    public PortsAtRestTests()
    {
        _instances = new LocalInstances(new InstancesOptions { Directories = _folder.Directories });
        InstanceStore.WriteConfig(_folder.Instance("box"), new InstanceConfig { Name = "box", Ports = [new PortForward { HostPort = 0, GuestPort = 90 }] });
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_added_is_kept_and_what_is_removed_is_gone()
    {
        (await _instances.AddPortAsync("box", Web, Token)).InForce.ShouldBeFalse();
        (await _instances.ListPortsAsync("box", Token)).Select(p => p.Forward.Text()).ShouldBe(["127.0.0.1:0 -> 90", "127.0.0.1:8080 -> 80"]);
        new InstanceStore(_folder.Directories).ReadConfig(InstanceName.Parse("box")).AddedPorts.ShouldBe([Web]);

        (await _instances.RemovePortAsync("box", "8080", Token)).Forward.ShouldBe(Web);
        (await _instances.ListPortsAsync("box", Token)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task The_same_twice_an_unknown_one_and_nonsense_are_refused_and_change_nothing()
    {
        await _instances.AddPortAsync("box", Web, Token);

        (await CodeAsync(() => _instances.AddPortAsync("box", Web, Token))).ShouldBe("network.forward-exists");
        (await CodeAsync(() => _instances.AddPortAsync("box", Web with { GuestPort = 81 }, Token))).ShouldBe("network.forward-exists");
        (await CodeAsync(() => _instances.AddPortAsync("box", Web with { HostPort = 70000 }, Token))).ShouldBe("network.port-invalid");
        (await CodeAsync(() => _instances.AddPortAsync("box", Web with { HostAddress = "here" }, Token))).ShouldBe("network.address-invalid");
        (await CodeAsync(() => _instances.AddPortAsync("box", new PortForward { HostPort = 30051, GuestPort = 1, Protocol = PortProtocol.Unix }, Token))).ShouldBe("network.socket-path");
        (await CodeAsync(() => _instances.RemovePortAsync("box", "9999", Token))).ShouldBe("network.forward-unknown");
        (await CodeAsync(() => _instances.AddPortAsync("nobody", Web, Token))).ShouldBe("instance.unknown");

        (await _instances.ListPortsAsync("box", Token)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Without_a_network_there_is_nothing_to_add_to()
    {
        InstanceStore.WriteConfig(_folder.Instance("box"), new InstanceConfig { Name = "box", Network = "tsi" });
        (await CodeAsync(() => _instances.AddPortAsync("box", Web, Token))).ShouldBe("network.ports-fixed");
    }

    private static async Task<string> CodeAsync(Func<Task> action) => (await Should.ThrowAsync<FaultException>(action)).Faults[0].Code;
}

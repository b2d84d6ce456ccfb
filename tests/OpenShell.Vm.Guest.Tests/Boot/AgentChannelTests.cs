using OpenShell.Vm.Guest.Boot;

namespace OpenShell.Vm.Guest.Tests.Boot;

public sealed class AgentChannelTests : IDisposable
{
    private readonly TemporaryFolder _sys = new();
    private readonly AgentChannel _channel;

    public AgentChannelTests() => _channel = new AgentChannel(_sys.Path);

    public void Dispose() => _sys.Dispose();

    [Fact]
    public void A_QEMU_machine_has_the_port_of_that_name()
    {
        Write("class/virtio-ports/vport0p1/name", "org.openshell.agent");
        Write("bus/virtio/devices/virtio0/device", "0x0003");
        _channel.FindSerialPort().ShouldBe("/dev/vport0p1");
        _channel.HasSocketDevice().ShouldBeFalse();
    }

    [Fact]
    public void A_libkrun_machine_has_ports_of_other_names_and_a_vsock_device()
    {
        Write("class/virtio-ports/vport2p1/name", "krun-stdin");
        Write("bus/virtio/devices/virtio3/device", "0x0013");
        _channel.FindSerialPort().ShouldBeNull();
        _channel.HasSocketDevice().ShouldBeTrue();
    }

    [Fact]
    public void Neither_is_a_fault_that_names_both()
    {
        var fault = Should.Throw<GuestFaultException>(() => _channel.Choose(TimeSpan.Zero)).Fault;
        fault.Code.ShouldBe("guest.agent-port-missing");
        fault.What.ShouldContain("vsock");
        fault.What.ShouldContain("org.openshell.agent");
    }

    private void Write(string path, string text)
    {
        var file = _sys.File(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text + "\n");
    }
}

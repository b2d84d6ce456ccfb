using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>
/// Finds the way to the host: QEMU's machines have a virtio-serial port with the agent's name, libkrun's a vsock device. What is found is what the hypervisor was told to
/// make, so nothing needs to say which it is.
/// </summary>
internal sealed class AgentChannel(string sysfs = "/sys")
{
    // virtio specification 1.2, section 5: device type 19 is a socket device. Its driver shows types in hexadecimal.
    private const string SocketDevice = "0x0013";

    private readonly TaskCompletionSource<AgentPort> _chosen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private string SerialPorts => Path.Combine(sysfs, "class/virtio-ports");

    private string Devices => Path.Combine(sysfs, "bus/virtio/devices");

    /// <summary>The port for an agent that is made before it is known which it is.</summary>
    public AgentPort Port => AgentPort.From(async cancellationToken =>
    {
        var port = await _chosen.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await port.OpenAsync(cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Waits until there is one of the two (QEMU tells the port's name in a message after its driver has started), and opens the way.</summary>
    /// <exception cref="GuestFaultException">Neither comes, or it cannot be used.</exception>
    public void Choose(TimeSpan patience)
    {
        var deadline = Uptime.Nanoseconds + ((long)patience.TotalMilliseconds * 1_000_000);
        for (var pause = 1; ; pause = Math.Min(pause * 2, 50))
        {
            if (FindSerialPort() is { } device)
            {
                LinkSerialPort(device);
                _chosen.SetResult(AgentPort.VirtioSerial());
                return;
            }

            if (HasSocketDevice())
            {
                _chosen.SetResult(Listen());
                return;
            }

            if (Uptime.Nanoseconds > deadline)
            {
                throw new GuestFaultException(
                    "guest.agent-port-missing",
                    $"neither a virtio-serial port named {GuestPaths.AgentPortName} nor a vsock device came within {patience.TotalSeconds} s.",
                    "Check the hypervisor's arguments, and that the kernel has virtio_console or vmw_vsock_virtio_transport built in, or the initramfs holds it.");
            }

            Thread.Sleep(pause);
        }
    }

    /// <summary>The device of the agent's virtio-serial port: the kernel only knows <c>/dev/vport0p1</c> and its name in sysfs.</summary>
    internal string? FindSerialPort()
    {
        if (!Directory.Exists(SerialPorts))
            return null;
        foreach (var port in Directory.EnumerateDirectories(SerialPorts))
        {
            var name = port + "/name";
            if (File.Exists(name) && File.ReadAllText(name).Trim() == GuestPaths.AgentPortName)
                return "/dev/" + Path.GetFileName(port);
        }

        return null;
    }

    /// <summary>Whether the machine has a vsock device. QEMU's have none.</summary>
    internal bool HasSocketDevice() =>
        Directory.Exists(Devices) && Directory.EnumerateDirectories(Devices).Any(device => File.Exists(device + "/device") && File.ReadAllText(device + "/device").Trim() == SocketDevice);

    /// <summary>Makes <c>/dev/virtio-ports/NAME</c>, which udev would make elsewhere.</summary>
    private static void LinkSerialPort(string device)
    {
        Mounts.Mounter.MakeFolders(Path.GetDirectoryName(GuestPaths.AgentPort)!);
        File.CreateSymbolicLink(GuestPaths.AgentPort, device);
    }

    private static AgentPort Listen()
    {
        try
        {
            return AgentPort.Vsock();
        }
        catch (IOException e)
        {
            throw new GuestFaultException("guest.vsock-unusable", $"there is a vsock device, but {e.Message}.", "Use a kernel with CONFIG_VSOCKETS and CONFIG_VIRTIO_VSOCKETS built in.", e);
        }
    }
}

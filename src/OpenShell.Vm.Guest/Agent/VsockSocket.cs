using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>A listening vsock socket (https://man7.org/linux/man-pages/man7/vsock.7.html), and who calls on it.</summary>
internal static unsafe class VsockSocket
{
    // struct sockaddr_vm, include/uapi/linux/vm_sockets.h: family (2 bytes), reserved (2), port (4), CID (4), flags (1), zeros (3).
    private const int AddressSize = 16, PortOffset = 4, CidOffset = 8;
    private const uint AnyCid = uint.MaxValue; // VMADDR_CID_ANY
    private const uint HostCid = 2; // VMADDR_CID_HOST

    /// <summary>One host at a time, and one that calls again before the guest has noticed the end of the last.</summary>
    private const int Backlog = 2;

    /// <summary>Listens on a port.</summary>
    /// <exception cref="IOException">This kernel has no vsock, or the port is taken.</exception>
    public static SafeFileHandle Listen(int port)
    {
        var handle = new SafeFileHandle(Libc.socket(Libc.AF_VSOCK, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), ownsHandle: true);
        if (handle.IsInvalid)
            throw Failure("socket");
        var address = stackalloc byte[AddressSize];
        var span = new Span<byte>(address, AddressSize);
        span.Clear();
        *(ushort*)address = Libc.AF_VSOCK;
        BitConverter.TryWriteBytes(span[PortOffset..], (uint)port);
        BitConverter.TryWriteBytes(span[CidOffset..], AnyCid);
        if (Libc.bind(handle, address, AddressSize) != 0)
            throw Failure("bind");
        return Libc.listen(handle, Backlog) == 0 ? handle : throw Failure("listen");
    }

    /// <summary>
    /// Whether a caller is the host. Programs in the guest can call too, by the loopback of vsock; the kernel writes the caller's CID, so it cannot be made up.
    /// </summary>
    public static bool IsHost(byte[] address) =>
        address.Length >= AddressSize && BitConverter.ToUInt16(address) == Libc.AF_VSOCK && BitConverter.ToUInt32(address, CidOffset) == HostCid;

    private static IOException Failure(string what) => new($"vsock {what}: {Libc.Message(Marshal.GetLastPInvokeError())}");
}

using System.Net.Sockets;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>A connected socket for a library that takes descriptors and keeps them.</summary>
internal static class ConnectedDescriptor
{
    // libkrun owns what it is given for as long as the process lives: nothing may close it, the finalizer neither.
    private static readonly List<Socket> Kept = [];

    /// <exception cref="Faults.FaultException">Nobody listens there.</exception>
    internal static int Of(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw KrunFaults.NoSocket(path, e);
        }

        Kept.Add(socket);
        return (int)socket.Handle;
    }
}

using System.Net.Sockets;

namespace OpenShell.Vm.Guest.Tests.Agent;

internal static class SocketPair
{
    /// <summary>Two connected Unix sockets.</summary>
    public static (Stream Left, Stream Right) Create()
    {
        var path = Path.Combine(Path.GetTempPath(), $"openshell-{Guid.NewGuid():N}");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        left.Connect(new UnixDomainSocketEndPoint(path));
        var right = listener.Accept();
        File.Delete(path);
        return (new NetworkStream(left, ownsSocket: true), new NetworkStream(right, ownsSocket: true));
    }
}

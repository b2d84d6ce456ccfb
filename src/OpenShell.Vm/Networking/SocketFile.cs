using System.Net.Sockets;
using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Networking;

/// <summary>The file of a forwarded Unix socket, or the link to it (<see cref="ForwardSocket"/>). What is killed leaves it behind.</summary>
internal static class SocketFile
{
    /// <summary>Why there can be no socket of that path. One that nobody listens on is in nobody's way.</summary>
    internal static Fault? WhyNot(string path, string purpose)
    {
        var length = Encoding.UTF8.GetByteCount(path);
        if (length > InstanceFiles.MaxSocketPath)
            return Make("network.socket-path", $"The socket {path}, for {purpose}, has a path of {length} bytes; the system allows {InstanceFiles.MaxSocketPath}.", "Choose a shorter path.");
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            return Make("network.socket-path", $"The socket {path}, for {purpose}, cannot be made: there is no folder {Path.GetDirectoryName(path)}.", "Make the folder first, for you alone.");
        if (!File.Exists(path) && !Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
            return null;
        return IsListening(path) switch
        {
            true => Make("network.port-busy", $"The socket {path}, for {purpose}, is in use by another process.", "End that process, or choose another path."),
            false => null,
            null => Make("network.socket-path", $"{path}, for {purpose}, is there, and is no socket.", "Remove it, or choose another path."),
        };
    }

    /// <summary>Removes the file if it is a socket that nobody listens on, or our link to one.</summary>
    internal static void RemoveStale(string path)
    {
        if (IsListening(path) is false)
            File.Delete(path);
    }

    /// <summary><see langword="null"/>: it is no socket.</summary>
    private static bool? IsListening(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException e)
        {
            // A file that is no socket refuses as well: the kind decides. What our link leads to may be gone.
            return ForwardSocket.IsLink(path) && e.SocketErrorCode != SocketError.WouldBlock || e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path) ? false : e.SocketErrorCode == SocketError.WouldBlock ? true : null;
        }
    }

    private static unsafe bool IsSocket(string path)
    {
        var info = stackalloc byte[256];

        // stx_mode at 28 (statx(2)); AT_FDCWD, AT_SYMLINK_NOFOLLOW, STATX_TYPE.
        return Interop.Libc.Statx(-100, path, 0x100, 1, info) == 0 && (*(ushort*)(info + 28) & 0xF000) == 0xC000;
    }

    private static Fault Make(string code, string what, string remedy) => new() { Code = code, Stage = BootStages.Network, What = what, Remedy = remedy };
}

using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace OpenShell.Vm.Networking;

/// <summary>
/// A forwarded Unix socket. gvproxy listens in its own folder, the only one that it may write to; at the path that was asked for there is a link to that socket, which this process makes. What leads back is a link too, beside the socket: that
/// holds for whoever lists the forwards next.
/// </summary>
/// <param name="folder">gvproxy's folder.</param>
/// <param name="path">Where the user wants it.</param>
internal sealed partial class ForwardSocket(string folder, string path)
{
    internal const string FolderName = "net";

    private const string Back = ".for";

    /// <summary>Where gvproxy listens.</summary>
    internal string Inner { get; } = In(folder, path);

    // Short, without a suffix: the paths of sockets are limited (InstanceFiles.MaxSocketPath), and how much of that is left for the user's folders is decided by the longest.
    internal static string In(string folder, string path) => Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, 3)));

    /// <summary>Makes way for it: of gvproxies that are gone sockets and links may be left.</summary>
    internal void Prepare()
    {
        SocketFile.RemoveStale(Inner);
        SocketFile.RemoveStale(path);
    }

    /// <summary>Puts it where it is wanted.</summary>
    /// <exception cref="IOException">There is something else.</exception>
    internal void Publish()
    {
        File.Delete(BackOf(Inner));
        File.CreateSymbolicLink(BackOf(Inner), path);
        File.CreateSymbolicLink(path, Inner);
    }

    /// <summary>Takes it away from there.</summary>
    internal void Withdraw()
    {
        if (new FileInfo(path).LinkTarget == Inner)
            File.Delete(path);
        File.Delete(BackOf(Inner));
    }

    /// <summary>Where the socket that gvproxy has is to be found; <see langword="null"/>: it is not to be found any more.</summary>
    internal static string? PathOf(string inner) => new FileInfo(BackOf(inner)).LinkTarget is { } path && new FileInfo(path).LinkTarget == inner ? path : null;

    /// <summary>Whether a link leads to a socket of this kind, there or not: it is ours to remove.</summary>
    internal static bool IsLink(string path) => new FileInfo(path).LinkTarget is { } target && Target().IsMatch(target);

    private static string BackOf(string inner) => inner + Back;

    // In the folder of an instance's sockets, or of a program's VM (InstanceFiles).
    [GeneratedRegex($@"/([^/]+-[0-9a-f]{{8}}|exec\.[^/]+)/{FolderName}/[0-9a-f]{{6}}$")]
    private static partial Regex Target();
}

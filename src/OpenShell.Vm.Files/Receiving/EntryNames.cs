using System.Text;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Files.Receiving;

/// <summary>Which names a sender may give.</summary>
public static class EntryNames
{
    /// <summary>The parts of an entry's path; none for the root.</summary>
    /// <exception cref="Protocol.Mux.MuxStreamException">It could lead out of the tree, or nowhere.</exception>
    public static string[] Split(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0)
            return [];
        if (Encoding.UTF8.GetByteCount(path) > TreeLimits.MaxPath)
            throw TreeFailure.Refused($"a path of more than {TreeLimits.MaxPath} bytes was sent");
        var parts = path.Split('/');
        if (parts.Length > TreeLimits.MaxDepth)
            throw TreeFailure.Refused($"a path of more than {TreeLimits.MaxDepth} levels was sent");
        return Array.TrueForAll(parts, IsName) ? parts : throw TreeFailure.Refused($"'{path}' was sent as a path below the destination, and is none");
    }

    /// <summary>Whether it is the name of something in a folder, whatever the folder.</summary>
    public static bool IsName(string name) =>
        name is { Length: > 0 } and not ("." or "..") && !name.AsSpan().ContainsAny('/', '\0') && Encoding.UTF8.GetByteCount(name) <= TreeLimits.MaxName && IsText(name);

    /// <summary>The text of a link. It may lead anywhere: here nobody goes there.</summary>
    internal static string Target(TreeEntry entry) =>
        entry.Target is { Length: > 0 } target && !target.Contains('\0', StringComparison.Ordinal) && IsText(target) && Encoding.UTF8.GetByteCount(target) <= TreeLimits.MaxPath
            ? target
            : throw TreeFailure.Refused($"'{entry.Path}' was sent as a link without a text that a link could have");

    // Half of a surrogate pair would become another name on disk than the one that was checked.
    private static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[++i]))
                return false;
        }

        return true;
    }
}

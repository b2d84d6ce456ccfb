using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Files.Receiving;

/// <summary>Where a tree is to go, in the user's words; what becomes of it depends on what is there, as with <c>docker cp</c>.</summary>
public sealed record TreeDestination
{
    /// <summary>Absolute. A slash at its end: it must be a folder.</summary>
    public required string Path { get; init; }

    /// <summary>The last part of the source's path: the name in a folder that is there.</summary>
    public required string Name { get; init; }

    /// <summary>The contents of the source folder are meant, not the folder.</summary>
    public bool Contents { get; init; }

    /// <summary>Make folders on the way that are missing.</summary>
    public bool MakeParents { get; init; }

    /// <summary>The folder in which the root of the tree gets a name; <c>Name</c> is <see langword="null"/> where the folder itself takes what is in the root.</summary>
    internal (OpenFolder Parent, string? Name) Resolve(TreeEntryKind root)
    {
        var bare = Path.TrimEnd('/');
        var there = OpenFolder.Stat(Path.Length > bare.Length ? bare + "/." : Path, follow: true);
        if (there is { IsFolder: true })
            return (OpenFolder.Open(bare.Length == 0 ? "/" : bare), Contents && root == TreeEntryKind.Folder ? null : UsableName(root));
        if (there is not null && root == TreeEntryKind.Folder)
            throw new MuxStreamException(ProtocolCode.Denied, $"{Path}: a folder cannot take the place of what is no folder");
        if (there is null && Path.Length > bare.Length && root != TreeEntryKind.Folder)
            throw new MuxStreamException(ProtocolCode.NotFound, $"{Path}: there is no such folder");
        var name = System.IO.Path.GetFileName(bare);
        if (!EntryNames.IsName(name))
            throw TreeFailure.Refused($"{Path}: it does not end in a name");
        var parent = System.IO.Path.GetDirectoryName(bare)!;
        if (MakeParents)
            Make(parent);
        return (OpenFolder.Open(parent), name);
    }

    private string? UsableName(TreeEntryKind root) => EntryNames.IsName(Name)
        ? Name
        : root == TreeEntryKind.Folder ? null : throw TreeFailure.Refused($"'{Name}' is no name for a file");

    private static void Make(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MuxStreamException(
                ProtocolCode.Denied,
                e.HResult == Native.Posix.ReadOnlySystem ? $"{folder}: the folder cannot be made: it is on a read-only file system" : $"{folder}: the folder cannot be made: {e.Message}");
        }
    }
}

using System.Formats.Tar;

namespace OpenShell.Vm.Images.Layers;

/// <summary>A file as an inode of a file system has it: without its names, of which it may have several.</summary>
internal sealed class Inode
{
    /// <summary>Directory, file, symbolic link, device or pipe: never a hard link, which is a name.</summary>
    public required TarEntryType Type { get; init; }

    /// <summary>Permissions with the bits for set-user-ID, set-group-ID and sticky.</summary>
    public required int Mode { get; init; }

    public int Uid { get; init; }

    public int Gid { get; init; }

    public DateTimeOffset Modified { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>Where a symbolic link leads.</summary>
    public string Target { get; init; } = "";

    public int DeviceMajor { get; init; }

    public int DeviceMinor { get; init; }

    /// <summary>Extended attributes by their names, such as <c>security.capability</c>; the values are bytes.</summary>
    public IReadOnlyDictionary<string, byte[]> Attributes { get; init; } = System.Collections.Immutable.ImmutableDictionary<string, byte[]>.Empty;

    /// <summary>The tar that has the content.</summary>
    public string? File { get; init; }

    /// <summary>Where in it.</summary>
    public long At { get; init; }

    public long Length { get; init; }

    public bool IsFolder => Type == TarEntryType.Directory;

    public bool IsLink => Type == TarEntryType.SymbolicLink;

    /// <summary>A folder that no layer describes, and that something lies in.</summary>
    public static Inode ImpliedFolder() => new() { Type = TarEntryType.Directory, Mode = 0b111_101_101 };
}

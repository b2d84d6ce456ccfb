using System.Text.Json.Serialization;

namespace OpenShell.Vm.Protocol.Messages;

/// <summary>Asks for a file, a link, or a folder with all that is in it.</summary>
/// <param name="Path">Absolute. What a link at its end leads to only where <paramref name="FollowLink"/> says so.</param>
/// <param name="FollowLink">Send what the link leads to, not the link.</param>
public sealed record TreeReadRequest(string Path, bool FollowLink);

/// <summary>Asks to write what follows.</summary>
/// <param name="Path">Absolute. A folder that is there takes it under <paramref name="Name"/>; else it becomes this path. With a slash at the end it must be a folder.</param>
/// <param name="Name">The last part of the source's path.</param>
/// <param name="Contents">What is in the folder that is sent, not the folder itself.</param>
public sealed record TreeWriteRequest(string Path, string Name, bool Contents);

/// <summary>What an entry of a tree is. Nothing else is sent: no devices, no sockets, no hard links.</summary>
public enum TreeEntryKind
{
    /// <summary>A regular file: its data follows.</summary>
    File,

    /// <summary>A folder: its entries follow, before anything outside of it.</summary>
    Folder,

    /// <summary>A symbolic link.</summary>
    Link,
}

/// <summary>One entry of a tree.</summary>
public sealed record TreeEntry
{
    /// <summary>Relative to the root of the tree, which is first and has an empty one; parts are separated by <c>/</c>.</summary>
    public required string Path { get; init; }

    /// <summary>What it is.</summary>
    public required TreeEntryKind Kind { get; init; }

    /// <summary>Permission bits; the receiver takes 0777 of them. <see langword="null"/>: a folder that is made when it is missing, and else left as it is.</summary>
    public int? Mode { get; init; }

    /// <summary>When its content changed last: nanoseconds since the Unix epoch.</summary>
    public long? Modified { get; init; }

    /// <summary>Of a file, its length when it was opened, for who shows progress. What counts is the end that follows its data.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Size { get; init; }

    /// <summary>Of a link, its text.</summary>
    public string? Target { get; init; }
}

/// <summary>A tree in numbers: the last message of its sender, and the receiver's answer when all is in its place.</summary>
/// <param name="Entries">Files, folders and links.</param>
/// <param name="Bytes">Bytes of data, without the holes of sparse files.</param>
/// <param name="LeftOut">Devices, sockets and pipes that were not sent.</param>
public sealed record TreeSummary(long Entries, long Bytes, long LeftOut);

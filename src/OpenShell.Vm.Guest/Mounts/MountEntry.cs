using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Mounts;

/// <summary>One mount to make: what <c>mount(8)</c> would print about it.</summary>
internal sealed record MountEntry
{
    /// <summary>Device, folder to bind, or a name for people.</summary>
    public required string Source { get; init; }

    /// <summary>Where; created with its parents when it is missing.</summary>
    public required string Target { get; init; }

    /// <summary>File system; <see langword="null"/> for a bind mount.</summary>
    public string? Type { get; init; }

    /// <summary>MS_ flags of mount(2).</summary>
    public nuint Flags { get; init; }

    /// <summary>Options of the file system.</summary>
    public string? Data { get; init; }

    /// <summary>Folders that must exist before it (an overlay's upper and work folders).</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>The guest is of use without it: a kernel without this file system is not a fault.</summary>
    public bool Optional { get; init; }

    /// <summary>A bind mount.</summary>
    public static MountEntry Bind(string source, string target) => new() { Source = source, Target = target, Flags = Linux.MsBind, Needs = [source] };

    /// <inheritdoc/>
    public override string ToString() => $"{Source} on {Target} type {Type ?? "bind"} flags {Flags}{(Data is null ? "" : " (" + Data + ")")}{(Optional ? " optional" : "")}";
}

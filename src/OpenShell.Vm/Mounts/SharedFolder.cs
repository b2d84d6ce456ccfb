using System.Text.Json.Serialization;

namespace OpenShell.Vm.Mounts;

/// <summary>How a folder of the host comes into a guest.</summary>
public enum ShareKind
{
    /// <summary>9p over virtio, served by QEMU itself (https://wiki.qemu.org/Documentation/9psetup).</summary>
    Plan9,

    /// <summary>virtio-fs, served by virtiofsd (https://gitlab.com/virtio-fs/virtiofsd) or by libkrun.</summary>
    VirtioFs,
}

/// <summary>A folder of the host as a device of the machine.</summary>
public sealed record SharedFolder
{
    /// <summary>The name by which the guest finds it.</summary>
    public required string Tag { get; init; }

    /// <summary>The folder on the host.</summary>
    public required string Path { get; init; }

    /// <summary>Where the guest mounts it.</summary>
    public required string GuestPath { get; init; }

    /// <summary>Whether the host's side refuses to write.</summary>
    public required bool ReadOnly { get; init; }

    /// <summary>By what.</summary>
    public required ShareKind Kind { get; init; }

    /// <summary>virtiofsd's socket; <see langword="null"/>: the hypervisor serves it.</summary>
    public string? Socket { get; init; }

    /// <summary>Owners, modes and devices that the guest sets are kept in extended attributes, in place of being real.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool MapOwners { get; init; }
}

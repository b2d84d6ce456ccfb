using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Runtime;

/// <summary>One file that a machine runs on: what it is, where it comes from, and whether it is still what it was.</summary>
public sealed record RuntimePart
{
    /// <summary>Its part: <c>qemu</c>, <c>libkrun</c>, <c>libkrunfw</c>, <c>gvproxy</c>, <c>kernel</c>, <c>initramfs</c>, <c>root</c>, ...</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>Its version, where that is known.</summary>
    public string? Version { get; init; }

    /// <summary>SHA-256 of the file, lower-case hexadecimal; <see langword="null"/> if it cannot be read.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Whose it is.</summary>
    public required RuntimeOrigin Origin { get; init; }

    /// <summary>By what that is known: <c>Debian package qemu-system-x86 1:10.0.2</c>, <c>built here: kernel/4f2c…</c>.</summary>
    public required string From { get; init; }

    /// <summary>Why it must not be used, if so: it is not what its manifest says.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Refuses parts of which one must not be used.</summary>
    /// <exception cref="FaultException">All their faults.</exception>
    public static void ThrowIfUnfit(IEnumerable<RuntimePart> parts)
    {
        var faults = parts.Select(p => p.Fault).OfType<Fault>().ToList();
        if (faults.Count > 0)
            throw new FaultException(faults);
    }
}

/// <summary>Whose a part is.</summary>
public enum RuntimeOrigin
{
    /// <summary>As a distribution delivered it: its package knows the file, and its checksum.</summary>
    Stock,

    /// <summary>Built by this project, with a manifest that has its SHA-256.</summary>
    Built,

    /// <summary>Anything else: compiled by the user, or changed since it was installed.</summary>
    Custom,
}

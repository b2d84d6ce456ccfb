namespace OpenShell.Vm.Images.Recipes;

/// <summary>What the kernel's own build calls things, for one processor.</summary>
internal sealed record LinuxTarget
{
    /// <summary>Debian's name of the processor.</summary>
    public required string Architecture { get; init; }

    /// <summary>The kernel's name of it (<c>ARCH=</c>).</summary>
    public required string KernelName { get; init; }

    /// <summary>The goal that makes the tree's default configuration.</summary>
    public required string Defaults { get; init; }

    /// <summary>The goal to compile.</summary>
    public required string Goal { get; init; }

    /// <summary>Where the result is below the object files.</summary>
    public required string Output { get; init; }

    /// <summary>Beginning of the names of the compiler's programs; <see langword="null"/>: the host's own.</summary>
    public string? CrossPrefix { get; init; }

    /// <summary>The target for a processor, from a host of the same or another.</summary>
    public static LinuxTarget For(string architecture, string hostArchitecture)
    {
        var target = architecture == Architectures.Arm64
            ? new LinuxTarget { Architecture = architecture, KernelName = "arm64", Defaults = "defconfig", Goal = "Image", Output = "arch/arm64/boot/Image" }
            : new LinuxTarget { Architecture = architecture, KernelName = "x86", Defaults = "x86_64_defconfig", Goal = "vmlinux", Output = "vmlinux" };
        return architecture == hostArchitecture ? target : target with { CrossPrefix = Architectures.CrossPrefix(architecture) };
    }
}

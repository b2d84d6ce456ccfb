namespace OpenShell.Vm.Images;

/// <summary>This project's own kernel, built: absolute paths into the cache.</summary>
public sealed record KernelImage
{
    /// <summary>What it is: <c>6.12.107-openshell (Debian 6.12.107-1)</c>.</summary>
    public required string Version { get; init; }

    /// <summary>Its content address.</summary>
    public required string Key { get; init; }

    /// <summary>What QEMU boots: <c>vmlinux</c>, or <c>Image</c> on AArch64.</summary>
    public required string Kernel { get; init; }

    /// <summary>What it was configured with.</summary>
    public required string Configuration { get; init; }

    /// <summary>The same kernel as <c>libkrunfw.so.5</c>.</summary>
    public required string Firmware { get; init; }

    /// <summary>What it was made of, by what and when.</summary>
    public required string Provenance { get; init; }

    /// <summary>The kind of its artifact, which is also the purpose of the packages that it is built with (<see cref="Host.HostPackage.NeededFor"/>).</summary>
    /// <param name="architecture">Debian's name of a processor; <see langword="null"/>: this host's.</param>
    public static string KindOf(string? architecture) => Recipes.CustomKernelRecipe.KindFor(architecture ?? Architectures.Host);
}

namespace OpenShell.Vm.Kernels;

/// <summary>What <c>--kernel</c> may name.</summary>
public static class KernelNames
{
    /// <summary>Debian's kernel for virtual machines, with modules and an initramfs.</summary>
    public const string Debian = "debian";

    /// <summary>The kernel that this project builds of Debian's source: everything is built in, and it mounts the root itself.</summary>
    public const string Custom = "custom";

    /// <summary>Whether it is a file of the user's instead of a name.</summary>
    public static bool IsFile(string kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        return kernel.Contains('/', StringComparison.Ordinal);
    }

    /// <summary>Whether it is a name or a file.</summary>
    public static bool IsKnown(string kernel) => kernel is Debian or Custom || IsFile(kernel);
}

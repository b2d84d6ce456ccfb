namespace OpenShell.Vm.Kernels;

/// <summary>What is known of a kernel's options, from whatever source.</summary>
public interface IKernelOptions
{
    /// <summary>What is known of one.</summary>
    /// <param name="name">With its prefix: <c>CONFIG_VETH</c>.</param>
    KernelOptionState StateOf(string name);
}

/// <summary>What is known of an option.</summary>
public enum KernelOptionState
{
    /// <summary>It is in the kernel.</summary>
    BuiltIn,

    /// <summary>It is in a module.</summary>
    Module,

    /// <summary>It is not in the kernel; whether a module has it was not to be found out.</summary>
    NotBuiltIn,

    /// <summary>The kernel does not have it.</summary>
    Missing,

    /// <summary>It was not to be found out.</summary>
    Unknown,
}

namespace OpenShell.Vm.Kernels;

/// <summary>A kernel's options, from its symbols: for kernels that do not tell their configuration.</summary>
public sealed class WitnessedOptions(KernelSymbols symbols) : IKernelOptions
{
    // kernel/module/main.c: a kernel that loads modules. (The system call would not do: kernel/sys_ni.c has a weak stand-in of each.)
    private const string Modules = "find_module";

    /// <inheritdoc/>
    public KernelOptionState StateOf(string name) => KernelWitnesses.Of(name) switch
    {
        { Proves: { } proof } when symbols.Names.Contains(proof) => KernelOptionState.BuiltIn,
        { Needed: { } needed } when !symbols.Names.Contains(needed) => symbols.Names.Contains(Modules) ? KernelOptionState.NotBuiltIn : KernelOptionState.Missing,
        _ => KernelOptionState.Unknown,
    };
}

namespace OpenShell.Vm.Kernels;

/// <summary>What kernels are asked for, by <c>gateway kernel check</c> and in docs/kernel.md. One entry, one line of the table; the tests are what the programs in question do.</summary>
public static class KernelCapabilities
{
    /// <summary>All of them, in the order in which they are shown.</summary>
    public static IReadOnlyList<KernelCapability> All { get; } =
    [
        .. ContainerCapabilities.All,
        .. LinkCapabilities.All,
        .. NftablesCapabilities.All,
        .. IptablesCapabilities.All,
    ];

    internal static KernelCapability Required(string name, string purpose, string options, string test) => Make(name, purpose, options, test, required: true);

    internal static KernelCapability Optional(string name, string purpose, string options, string test) => Make(name, purpose, options, test, required: false);

    private static KernelCapability Make(string name, string purpose, string options, string test, bool required) => new()
    {
        Name = name,
        Purpose = purpose,
        Options = [.. options.Split(' ').Select(o => "CONFIG_" + o)],
        Test = test,
        Required = required,
    };
}

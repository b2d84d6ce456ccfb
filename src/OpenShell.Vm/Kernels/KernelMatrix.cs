using System.Text;

namespace OpenShell.Vm.Kernels;

/// <summary>Compares kernels by their options, on the host: a table of what each can do, in Markdown.</summary>
public static class KernelMatrix
{
    /// <summary>The table.</summary>
    public static string Markdown(IReadOnlyList<KernelColumn> kernels)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var table = new StringBuilder();
        Row(["capability", "for", "required", .. kernels.Select(k => k.Title)]);
        Row(["---", "---", "---", .. kernels.Select(_ => "---")]);
        foreach (var capability in KernelCapabilities.All)
            Row([capability.Name, capability.Purpose, capability.Required ? "yes" : "", .. kernels.Select(k => Cell(capability, k.Options))]);
        return table.ToString();

        void Row(IEnumerable<string> cells) => table.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    /// <summary>What a kernel's options say about a capability: built in, as modules, or which option is missing or not known.</summary>
    public static string Cell(KernelCapability capability, IKernelOptions options)
    {
        ArgumentNullException.ThrowIfNull(capability);
        ArgumentNullException.ThrowIfNull(options);
        var states = capability.Options.ToLookup(options.StateOf, o => o["CONFIG_".Length..]);
        (KernelOptionState State, string Said)[] flaws = [(KernelOptionState.Missing, "no"), (KernelOptionState.NotBuiltIn, "not built in"), (KernelOptionState.Unknown, "?")];
        foreach (var (state, said) in flaws)
        {
            if (states.Contains(state))
                return $"{said}: {string.Join(", ", states[state])}";
        }

        return states.Contains(KernelOptionState.Module) ? "module" : "yes";
    }
}

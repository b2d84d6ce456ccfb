using System.Text;

namespace OpenShell.Vm.Kernels;

/// <summary>Compares kernels by their configurations, on the host: a table of what each can do, in Markdown.</summary>
public static class KernelMatrix
{
    /// <summary>The table.</summary>
    /// <param name="kernels">Names for the columns, with the configurations.</param>
    public static string Markdown(IReadOnlyList<(string Name, KernelConfiguration Configuration)> kernels)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var table = new StringBuilder();
        Row(["capability", "for", "required", .. kernels.Select(k => k.Name)]);
        Row(["---", "---", "---", .. kernels.Select(_ => "---")]);
        foreach (var capability in KernelCapabilities.All)
            Row([capability.Name, capability.Purpose, capability.Required ? "yes" : "", .. kernels.Select(k => Cell(capability, k.Configuration))]);
        return table.ToString();

        void Row(IEnumerable<string> cells) => table.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    /// <summary>What a configuration says about a capability: built in, as modules, or which option is missing.</summary>
    public static string Cell(KernelCapability capability, KernelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(capability);
        ArgumentNullException.ThrowIfNull(configuration);
        var missing = capability.Options.Where(o => configuration.Of(o) is not ("y" or "m")).Select(o => o["CONFIG_".Length..]).ToList();
        return missing.Count > 0 ? "no: " + string.Join(", ", missing) : capability.Options.Any(o => configuration.Of(o) == "m") ? "module" : "yes";
    }
}

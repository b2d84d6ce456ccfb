namespace OpenShell.Vm.Kernels;

/// <summary>
/// A kernel's configuration, or a fragment of one: lines <c>CONFIG_NAME=VALUE</c> and <c># CONFIG_NAME is not set</c>
/// (https://docs.kernel.org/kbuild/kconfig.html). Other lines are comments.
/// </summary>
public sealed class KernelConfiguration : IKernelOptions
{
    private const string Prefix = "CONFIG_", Unset = " is not set";

    private KernelConfiguration(IReadOnlyDictionary<string, string> values) => Values = values;

    /// <summary>Options with their values, such as <c>y</c>; <c>n</c> for one that is said not to be set.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>Reads a text; a later line replaces an earlier one, as in the kernel's own merging.</summary>
    public static KernelConfiguration Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.StartsWith(Prefix, StringComparison.Ordinal) && line.IndexOf('=', StringComparison.Ordinal) is var equals and > 0)
                values[line[..equals]] = line[(equals + 1)..];
            else if (line.StartsWith("# " + Prefix, StringComparison.Ordinal) && line.EndsWith(Unset, StringComparison.Ordinal))
                values[line[2..^Unset.Length]] = "n";
        }

        return new KernelConfiguration(values);
    }

    /// <summary>The text with every option that is a module said not to be set; where modules are switched off, the configurator would build them in.</summary>
    public static string WithoutModules(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return string.Join('\n', text.Split('\n').Select(l => l.StartsWith(Prefix, StringComparison.Ordinal) && l.EndsWith("=m", StringComparison.Ordinal) ? $"# {l[..^2]}{Unset}" : l));
    }

    /// <summary>An option's value; <c>n</c> where the text does not mention it, since an option whose conditions do not hold is left out.</summary>
    public string Of(string option) => Values.GetValueOrDefault(option, "n");

    /// <inheritdoc/>
    public KernelOptionState StateOf(string name) => Of(name) switch
    {
        "y" => KernelOptionState.BuiltIn,
        "m" => KernelOptionState.Module,
        _ => KernelOptionState.Missing,
    };

    /// <summary>What of <paramref name="fragment"/> did not come true here: the configurator drops what its rules do not allow, and only warns.</summary>
    /// <returns>A sentence part for each, such as <c>CONFIG_VETH=y is n</c>.</returns>
    public IReadOnlyList<string> Lost(KernelConfiguration fragment)
    {
        ArgumentNullException.ThrowIfNull(fragment);
        return [.. fragment.Values.Where(wanted => Of(wanted.Key) != wanted.Value).Select(wanted => $"{wanted.Key}={wanted.Value} is {Of(wanted.Key)}")];
    }
}

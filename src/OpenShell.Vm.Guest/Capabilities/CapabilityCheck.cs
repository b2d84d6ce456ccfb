namespace OpenShell.Vm.Guest.Capabilities;

/// <summary>Compares what is needed with what this kernel has, before anything fails for it in its own words.</summary>
internal static class CapabilityCheck
{
    /// <summary>Checks all, and names all that are missing at once.</summary>
    /// <exception cref="GuestFaultException">Something is missing.</exception>
    public static void Require(IReadOnlyList<Capability> needed, IReadOnlyList<string> moduleErrors)
    {
        var missing = Missing(needed, KernelFacts.Read());
        if (missing.Count == 0)
            return;
        var config = KernelConfig.Read();
        throw new GuestFaultException(
            "guest.kernel-capability-missing",
            $"this kernel ({KernelConfig.Release}) lacks {string.Join("; ", missing.Select(m => Describe(m, config)))}.",
            "Use a kernel that has them, or list their modules in the image."
                + (moduleErrors.Count == 0 ? "" : $" Modules that did not load: {string.Join("; ", moduleErrors)}."));
    }

    /// <summary>Those of <paramref name="needed"/> for which there is no evidence.</summary>
    public static IReadOnlyList<Capability> Missing(IReadOnlyList<Capability> needed, KernelFacts facts) => [.. needed.Where(c => !Has(c, facts))];

    private static bool Has(Capability capability, KernelFacts facts) => capability.Evidence switch
    {
        Evidence.FileSystem => facts.FileSystems.Contains(capability.Subject),
        Evidence.Controller => facts.Controllers.Contains(capability.Subject),
        Evidence.Module => facts.Modules.Contains(capability.Subject) || facts.BuiltIn.Contains(capability.Option),
        Evidence.Path => facts.Exists(capability.Subject),
        _ => false,
    };

    private static string Describe(Capability capability, KernelConfig? config) =>
        $"{capability.Option} ({capability.Purpose}; {config?.Explain(capability.Option) ?? "its configuration is not to be found"})";
}

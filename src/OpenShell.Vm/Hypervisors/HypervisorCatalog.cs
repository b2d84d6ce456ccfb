namespace OpenShell.Vm.Hypervisors;

/// <summary>The hypervisors that there are.</summary>
public static class HypervisorCatalog
{
    /// <summary>All of them, the preferred one first.</summary>
    public static IReadOnlyList<IHypervisor> All { get; } = [new Qemu.QemuHypervisor()];

    /// <summary>By name; <see langword="null"/>: there is none.</summary>
    public static IHypervisor? Find(string name) => All.FirstOrDefault(h => h.Name == name);
}

namespace OpenShell.Vm.Guest.Boot;

/// <summary>The stages that the guest reports; the host's timeline knows them by the same names.</summary>
internal static class Stage
{
    public const string Init = "init", Network = "network", Disk = "disk", Services = "services", Node = "node", Workload = "workload", Gateway = "gateway";

    /// <summary>Reported when the file system of the state disk had to be repaired.</summary>
    public const string DiskRepair = Disk + "/repair";

    /// <summary>Parts that a boot on a state disk from before has no need of, and then reports as skipped.</summary>
    public const string Certificates = Init + "/certificates", Trial = Init + "/trial", Images = Workload + "/images", Manifests = Workload + "/manifests";
}

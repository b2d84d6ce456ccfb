using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>The number by which the kubelet and cAdvisor tell machines apart; machine-id(5). It belongs to the state disk, as the node does.</summary>
internal static class MachineId
{
    /// <summary>Makes one on first boot, and puts it where programs look.</summary>
    public static void Ensure()
    {
        const string Kept = GuestPaths.State + "/machine-id";
        if (!File.Exists(Kept))
            File.WriteAllText(Kept, Guid.NewGuid().ToString("N") + "\n");
        File.Copy(Kept, "/etc/machine-id", overwrite: true);
    }
}

using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>The number by which the kubelet and cAdvisor tell machines apart; machine-id(5). It belongs to the state disk, as the node does.</summary>
internal static class MachineId
{
    /// <summary>Makes one on first boot, and puts it where programs look.</summary>
    public static void Ensure()
    {
        var kept = FileIn(GuestPaths.State);
        if (!File.Exists(kept))
            File.WriteAllText(kept, Guid.NewGuid().ToString("N") + "\n");
        File.Copy(kept, "/etc/machine-id", overwrite: true);
    }

    /// <summary>Where it is kept.</summary>
    /// <param name="state">Where the state disk is mounted.</param>
    public static string FileIn(string state) => Path.Combine(state, "machine-id");

    /// <summary>Whether a text is one: 32 hexadecimal digits, lower case, and not all of them 0.</summary>
    public static bool IsValid(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigitLower) && text.Any(digit => digit != '0');
}

using OpenShell.Gateway.Cli.Terminals;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>What to do where KVM is not of use, by the reason that can be seen on this host. Without it machines are emulated: slower, but nothing is missing.</summary>
internal static class KvmRemedy
{
    private const string Device = "/dev/kvm";

    /// <summary>One sentence; <see langword="null"/>: nothing can be done, or nothing is known.</summary>
    public static string? Of()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        if (!File.Exists(Device))
            return Missing();
        if (!LibC.IsWritable(Device))
            return $"This user may not open {Device}: sudo usermod -aG kvm {Environment.UserName}, then log in again.";
        return "Where this is itself a virtual machine, its host has to give it hardware virtualization (nested virtualization).";
    }

    // https://docs.kernel.org/arch/x86/cpuinfo.html: vmx is Intel's, svm is AMD's.
    private static string Missing()
    {
        var flags = Flags();
        return flags.Contains("vmx") ? Load("kvm_intel")
            : flags.Contains("svm") ? Load("kvm_amd")
            : flags.Contains("hypervisor") ? "This is a virtual machine without hardware virtualization of its own: where its host offers nested virtualization, switch that on."
            : "The processor shows no hardware virtualization: switch it on in the firmware's setup (VT-x, AMD-V or SVM), if it has it.";

        static string Load(string module) => $"The processor can do it; load the kernel's module: sudo modprobe {module}";
    }

    private static HashSet<string> Flags()
    {
        try
        {
            var line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal));
            return line is null ? [] : [.. line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}

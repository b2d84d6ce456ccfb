using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Tests.Support;

/// <summary>The real programs that tests run, or a skip that names what is missing.</summary>
internal static class RealTools
{
    internal static string Gvproxy => RuntimeTools.FindGvproxy(HostDirectories.FromEnvironment()) ?? Skip("gvproxy");

    internal static string Qemu => RuntimeTools.FindQemu() ?? Skip("qemu-system-x86_64");

    internal static string QemuImg => RuntimeTools.FindQemuImg() ?? Skip("qemu-img");

    private static string Skip(string program)
    {
        Assert.Skip($"{program} is not on this host.");
        return program;
    }
}

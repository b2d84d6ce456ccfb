namespace OpenShell.Vm.Networking;

/// <summary>The networks that there are, by their names on the command line.</summary>
public static class NetworkNames
{
    /// <summary>An interface of the guest's own, served by gvproxy in a process of its own.</summary>
    public const string Gvproxy = "gvproxy";

    /// <summary>
    /// libkrun's Transparent Socket Impersonation: no interface; the guest's kernel hands sockets to libkrun, which opens them on the host. Only libkrunfw's kernel
    /// does it, and it takes over loopback connections too, which Kubernetes does not survive.
    /// </summary>
    public const string Tsi = "tsi";

    /// <summary>None at all.</summary>
    public const string None = "none";

    /// <summary>All of them, the preferred one first.</summary>
    public static IReadOnlyList<string> All { get; } = [Gvproxy, Tsi, None];
}

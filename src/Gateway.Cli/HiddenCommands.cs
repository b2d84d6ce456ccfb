namespace OpenShell.Gateway.Cli;

/// <summary>Names by which this program starts itself. They are not for users, and not shown by <c>--help</c>.</summary>
internal static class HiddenCommands
{
    /// <summary>The supervisor of a detached instance.</summary>
    public const string Supervise = "__supervise";

    /// <summary>Bakes a golden image in the background.</summary>
    public const string Bake = "__bake";

    /// <summary>Becomes a libkrun machine.</summary>
    public const string Vmm = "__vmm";

    /// <summary>Times KVM in a process that can be killed.</summary>
    public const string KvmProbe = "__kvm-probe";

    /// <summary>Answers a shell that completes a line.</summary>
    public const string Complete = "__complete";
}

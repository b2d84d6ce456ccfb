namespace OpenShell.Vm.Protocol.Messages;

/// <summary>Asks the guest to end: services stopped in order, file systems unmounted.</summary>
/// <param name="Action">What then.</param>
public sealed record PowerRequest(PowerAction Action);

/// <summary>What a guest does once everything in it has stopped.</summary>
public enum PowerAction
{
    /// <summary>Powers off; the hypervisor's process ends.</summary>
    Off,

    /// <summary>Starts again.</summary>
    Reboot,
}

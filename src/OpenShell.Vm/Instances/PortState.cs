using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Instances;

/// <summary>A forward of an instance.</summary>
/// <param name="Forward">The forward.</param>
/// <param name="Purpose">Whose it is, if it is not the user's: <c>the gateway</c>, <c>the API server</c>.</param>
/// <param name="InForce">Whether gvproxy says that it listens. Whether anything in the guest does, it does not say.</param>
public sealed record PortState(PortForward Forward, string? Purpose, bool InForce);

/// <summary>A supervisor's answer about forwards.</summary>
public sealed record PortReply
{
    /// <summary>The forward that was changed, or all of them.</summary>
    public IReadOnlyList<PortState> Ports { get; init => field = value ?? []; } = [];

    /// <summary>Why it was not done.</summary>
    public IReadOnlyList<Fault> Faults { get; init => field = value ?? []; } = [];
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>What may be added to and removed from an instance's forwards, whether it runs or not. Pure.</summary>
internal static class PortRules
{
    /// <exception cref="FaultException">The forward could not be one of any instance.</exception>
    internal static void ThrowIfWrong(PortForward forward)
    {
        var faults = InstanceValidator.Ports(new InstanceConfig { Name = "any", Mode = Protocol.Messages.GuestMode.Exec, Ports = [forward] }).ToArray();
        if (faults.Length > 0)
            throw new FaultException(faults);
    }

    /// <summary>The one that is meant by a text of the user's.</summary>
    /// <exception cref="FaultException">None is, or more than one.</exception>
    internal static PortForward One(string asked, IReadOnlyList<PortForward> among) => PortForwardText.Find(asked, among, out var problem) switch
    {
        null => throw new FaultException(InstanceValidator.Usage("network.forward-invalid", $"'{asked}': {problem}.", PortForwardText.Form)),
        [] => throw PortFaults.Unknown(asked, among),
        [var one] => one,
        var several => throw PortFaults.Ambiguous(asked, several),
    };

    /// <summary>A configuration without a forward. One that was asked for with port 0 is known by what it leads to.</summary>
    internal static InstanceConfig Without(InstanceConfig config, PortForward forward)
    {
        return config with { AddedPorts = Less(config.AddedPorts), Ports = Less(config.Ports) };

        IReadOnlyList<PortForward> Less(IReadOnlyList<PortForward> ports)
        {
            var gone = ports.FirstOrDefault(p => p == forward) ?? ports.FirstOrDefault(p => p == forward with { HostPort = 0 });
            return gone is null ? ports : [.. ports.Where(p => !ReferenceEquals(p, gone))];
        }
    }
}

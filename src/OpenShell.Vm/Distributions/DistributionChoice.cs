using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Distributions;

/// <summary>Which distribution is used where none is named. Pure.</summary>
public static class DistributionChoice
{
    /// <summary>The word for "whichever is there".</summary>
    public const string Auto = "auto";

    /// <summary>The one that was asked for; else k3s where it was given or can be had, else upstream.</summary>
    public static string Best(InstanceConfig config, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        if (config.Distribution is { } asked and not Auto)
            return asked;
        return config.K3sBinary is not null || host.K3s is { Available: true } ? K3s.DistributionName : Upstream.DistributionName;
    }

    /// <summary>Why it is that one, where it was not asked for.</summary>
    public static IReadOnlyList<string> Notes(InstanceConfig config, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        if (config.Mode != GuestMode.Cluster || config.Distribution is not (null or Auto))
            return [];
        var why = config.K3sBinary is { } binary ? $"{binary} was given" : host.K3s is { } k3s ? $"k3s {k3s.Why}" : null;
        return why is null ? [] : [$"Kubernetes: {Best(config, host)}, since {why}."];
    }
}

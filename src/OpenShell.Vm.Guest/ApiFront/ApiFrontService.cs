using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.ApiFront;

/// <summary>The front as a service of the cluster.</summary>
internal static class ApiFrontService
{
    /// <summary>Its name.</summary>
    public const string Name = "api-front";

    /// <summary>What is run.</summary>
    /// <param name="api">The service that is, or holds, the API server.</param>
    public static Service Describe(string api) => new()
    {
        Name = Name,
        Command = [GuestPaths.Init, FrontRole.Argument],
        // Nobody could use it earlier, and what starts earlier makes the cluster later.
        Conditions = [new Condition.Done(Milestone.Firewall), new Condition.Done(Milestone.Certificates), new Condition.Healthy(api)],
        Health = new HealthCheck.Tcp(ClusterLayout.FrontPort),
        StopOrder = 5,
        StopPatience = TimeSpan.FromSeconds(2),
    };
}

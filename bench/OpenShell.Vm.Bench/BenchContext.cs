using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Bench;

/// <summary>What every benchmark is given.</summary>
/// <param name="Home">Folders of its own, with the real image cache.</param>
/// <param name="Runs">How often, if the user said so.</param>
/// <param name="Say">Tells the user what is being done.</param>
internal sealed record BenchContext(BenchHome Home, int? Runs, Action<string> Say)
{
    /// <summary>The machine that the product would start for <c>/bin/true</c>, without a network.</summary>
    /// <param name="name">The instance's name.</param>
    /// <param name="change">What is to be otherwise.</param>
    public Task<StartPlan> PlanAsync(string name, Func<InstanceConfig, InstanceConfig>? change = null)
    {
        var config = new InstanceConfig { Name = name, Mode = GuestMode.Exec, Network = "none", Exec = new ExecRequest { Program = "/bin/true" } };
        return new LocalInstances(new InstancesOptions { Directories = Home.Directories, KvmProbeCommand = [HostProgram.Gateway, "__kvm-probe"] }).PlanAsync(change?.Invoke(config) ?? config);
    }
}

/// <summary>A benchmark cannot go on; the message is for the user.</summary>
internal sealed class BenchException(string message) : Exception(message);

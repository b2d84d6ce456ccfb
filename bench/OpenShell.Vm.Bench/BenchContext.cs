using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Bench;

/// <summary>What every benchmark is given.</summary>
/// <param name="Home">Folders of its own, with the real image cache.</param>
/// <param name="Runs">How often, if the user said so.</param>
/// <param name="Say">Tells the user what is being done.</param>
internal sealed record BenchContext(BenchHome Home, int? Runs, Action<string> Say)
{
    /// <summary>Pictures of starts, in the order in which they were made.</summary>
    public List<BootTimeline> Timelines { get; } = [];

    /// <summary>The library, as the command uses it.</summary>
    public LocalInstances Instances => new(new InstancesOptions { Directories = Home.Directories, KvmProbeCommand = [HostProgram.Gateway, "__kvm-probe"] });

    /// <summary>Keeps the last start of an instance for a picture.</summary>
    public void Draw(string title, string instance) =>
        Timelines.Add(BootTimeline.Read(title, InstanceFiles.For(Home.Directories, InstanceName.Parse(instance)).Timeline));

    /// <summary>The machine that the product would start for <c>/bin/true</c>, without a network.</summary>
    /// <param name="name">The instance's name.</param>
    /// <param name="change">What is to be otherwise.</param>
    public Task<StartPlan> PlanAsync(string name, Func<InstanceConfig, InstanceConfig>? change = null)
    {
        var config = new InstanceConfig { Name = name, Mode = GuestMode.Exec, Network = "none", Exec = new ExecRequest { Program = "/bin/true" } };
        return Instances.PlanAsync(change?.Invoke(config) ?? config);
    }
}

/// <summary>A benchmark cannot go on; the message is for the user.</summary>
internal sealed class BenchException(string message) : Exception(message);

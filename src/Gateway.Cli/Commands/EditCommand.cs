using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway edit</c>: changes what an instance is started with.</summary>
internal static class EditCommand
{
    private const string Default = "default", None = "none";

    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var vcpus = new Option<string?>("--vcpus") { Description = "Virtual CPUs; 'default' for as many as this machine has, at most 4.", HelpName = "N" };
        var memory = new Option<string?>("--mem", "--memory") { Description = "Memory in MiB, or with a unit: 4g; 'default' for 4g.", HelpName = "SIZE" };
        var ports = new Option<string[]>("--publish", "-p") { Description = "Forward a port of this machine into the guest; may be repeated, and replaces all that were, those of 'gateway port add' too. 'none' for none.", HelpName = "[ADDRESS:]HOST:GUEST" };
        var gatewayPort = new Option<string?>("--gateway-port") { Description = "The gateway's port on this machine; 0 for a free one, 'default' for the usual.", HelpName = "PORT" };
        var restart = new Option<string?>("--restart") { Description = "When it is started again after it ended by itself: no, on-failure or always. Takes effect at once.", HelpName = "POLICY" };
        var command = new Command("edit", "Change processors, memory, ports or the restart policy of an instance. It takes effect at the next start, the restart policy at once.") { name, vcpus, memory, ports, gatewayPort, restart };
        command.SetAction(async parse =>
        {
            var faults = new List<Fault>();
            var changes = new List<Func<InstanceConfig, InstanceConfig>>();
            if (parse.GetValue(vcpus) is { } v)
            {
                var count = v == Default ? null : CountParser.Parse("--vcpus", v, "2", faults);
                changes.Add(config => config with { Vcpus = count });
            }

            if (parse.GetValue(memory) is { } m)
            {
                var mib = m == Default ? null : MemorySizeParser.Parse(m, faults);
                changes.Add(config => config with { MemoryMib = mib });
            }

            if (parse.GetValue(ports) is { Length: > 0 } p)
            {
                IReadOnlyList<PortForward> forwards = p is [None] ? [] : PortForwardParser.ParseAll(p, faults);
                changes.Add(config => config with { Ports = forwards, AddedPorts = [] });
            }

            if (parse.GetValue(gatewayPort) is { } g)
            {
                var port = g == Default ? null : CountParser.Parse("--gateway-port", g, "30052", faults);
                changes.Add(config => config with { GatewayPort = port });
            }

            if (parse.GetValue(restart) is { } policy)
                changes.Add(config => config with { Restart = policy });

            if (faults.Count > 0)
                throw new FaultException(faults);
            if (changes.Count == 0)
                throw new FaultException(UsageFaults.Make("There is nothing to change.", "Give at least one of --vcpus, --mem, -p, --gateway-port and --restart."));

            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            await context.Host.Instances.EditAsync(status.Name, config => changes.Aggregate(config, (now, change) => change(now)));
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync($"'{status.Name}' is changed{When(status, parse.GetValue(restart) is not null, changes.Count)}");
            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>When it takes effect. The restart policy is read when the instance ends; all else as it starts.</summary>
    private static string When(InstanceStatus status, bool policy, int changes)
    {
        var again = $"'gateway restart{KnownInstance.Named(status.Name)}'";
        return (status.Phase is InstancePhase.Ready or InstancePhase.Starting or InstancePhase.Stopping, policy) switch
        {
            (false, _) => ", for its next start.",
            (true, false) => $". It runs, and goes on as it is until its next start: {again}.",
            (true, true) when changes == 1 => ". It runs, and its new restart policy counts from now on.",
            (true, true) => $". It runs, and its new restart policy counts from now on; else it goes on as it is until its next start: {again}.",
        };
    }
}

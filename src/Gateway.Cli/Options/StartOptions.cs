using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Options;

/// <summary>Everything that says what is to be started: the options of the bare <c>gateway</c>, of <c>up</c> and of <c>plan</c>.</summary>
internal sealed class StartOptions
{
    private readonly NameOption _name = new();
    private readonly Option<string[]> _ports = new("--publish", "-p") { Description = "Forward a port of this machine into the guest; may be repeated. 0 as HOST takes a free one; PATH:GUEST forwards a Unix socket.", HelpName = "[ADDRESS:]HOST:GUEST[/udp]" };
    private readonly MountOption _mounts = new();
    private readonly Option<string?> _gatewayPort = new("--gateway-port") { Description = "The gateway's port on this machine (30051 for 'default', a free one for others). 0 takes a free one.", HelpName = "PORT" };
    private readonly Option<string?> _vcpus = new("--vcpus") { Description = "Virtual CPUs (as many as this machine has, at most 4; 2 with --exec).", HelpName = "N" };
    private readonly Option<string?> _memory = new("--mem", "--memory") { Description = "Memory in MiB, or with a unit: 512m, 4g (4g; 1g with --exec).", HelpName = "SIZE" };
    private readonly Option<string?> _hypervisor = new("--hypervisor") { Description = "What runs the machine: auto, qemu or libkrun.", HelpName = "NAME" };
    private readonly ArchitectureOption _architecture = new("The guest's processor: amd64 or arm64 (this machine's). Another's is emulated, which is slow.");
    private readonly DistributionOptions _distribution = new();
    private readonly BaseImageOption _baseImage = new();
    private readonly KernelOption _kernel = new();
    private readonly Option<string?> _network = new("--network", "--net") { Description = "gvproxy, tsi (libkrun's own; --exec with --rootfs) or none.", HelpName = "NAME" };
    private readonly KrunOptions _krun = new();
    private readonly DeliveryOptions _delivery = new();
    private readonly Option<bool> _hostLoopback = new("--allow-host-loopback") { Description = "Let the guest reach what listens on this machine's loopback, as 192.168.127.254 (docs/networking.md)." };
    private readonly Option<string?> _restart = new("--restart") { Description = "When a cluster that ended by itself is started again: no, on-failure or always (no).", HelpName = "POLICY" };
    private readonly Option<string?> _start = new("--start") { Description = "What it begins with: auto (a suspended memory, for a new instance a golden image, else its disk), resume (memory only) or boot (auto).", HelpName = "KIND" };
    private readonly Option<string?> _idle = new("--idle-suspend") { Description = "Suspend it when nobody used it for so long; the next connection wakes it: 90s, 10m; 'off' never does.", HelpName = "TIME" };
    private readonly Option<string?> _timeout = new("--timeout") { Description = "Give up a start that takes longer: 90s, 5m.", HelpName = "TIME" };
    private readonly Option<string?> _program = new("--exec") { Description = "Run this program instead of a cluster, in a machine of its own, and end with its exit code.", HelpName = "PATH" };
    private readonly Option<bool> _arguments = new(VerbatimArguments.Option) { Description = "The rest of the line, as it is, are the arguments of --exec's program.", Arity = ArgumentArity.Zero };
    private readonly ProgramOptions _programOptions = new();

    /// <summary>How <c>--idle-suspend</c> is taken back.</summary>
    private static readonly string[] Never = ["off", "0"];

    public StartOptions()
    {
        _hypervisor.CompletionSources.Add("auto", HypervisorNames.Qemu, HypervisorNames.Libkrun);
        _start.CompletionSources.Add([.. Vm.Snapshots.StartKinds.All]);
        _idle.CompletionSources.Add(Never[0]);
        _network.CompletionSources.Add([.. NetworkNames.All]);
    }

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _name, _ports, _mounts, _gatewayPort, _vcpus, _memory, _hypervisor, _architecture, _baseImage, _kernel, _network, _hostLoopback, _restart, _start, _idle, _timeout, _program, _arguments })
            command.Options.Add(option);
        _distribution.AddTo(command);
        _krun.AddTo(command);
        _delivery.AddTo(command);
        _programOptions.AddTo(command);
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="FaultException">Every value that is wrong.</exception>
    public InstanceConfig Read(ParseResult parse, CommandContext context)
    {
        var faults = new List<Fault>();
        var program = parse.GetValue(_program);
        var config = new InstanceConfig
        {
            // Many programs may run at once, and each machine needs a name.
            Name = _name.Given(parse) ?? (program is null ? InstanceName.Default : $"exec-{Guid.NewGuid():N}"[..13]),
            Mode = program is null ? GuestMode.Cluster : GuestMode.Exec,
            Ports = PortForwardParser.ParseAll(parse.GetValue(_ports) ?? [], faults),
            Mounts = _mounts.Read(parse, faults),
            Vcpus = parse.GetValue(_vcpus) is { } vcpus ? CountParser.Parse("--vcpus", vcpus, "2", faults) : null,
            MemoryMib = parse.GetValue(_memory) is { } memory ? MemorySizeParser.Parse(memory, faults) : null,
            Hypervisor = KrunOptions.HypervisorOf(parse.GetValue(_hypervisor)),
            Architecture = _architecture.Of(parse),
            Distribution = _distribution.NameOf(parse),
            K3sBinary = _distribution.BinaryOf(parse),
            BaseImage = _baseImage.Of(parse),
            Kernel = _kernel.Of(parse),
            GatewayPort = parse.GetValue(_gatewayPort) is { } port ? CountParser.Parse("--gateway-port", port, "30052", faults) : null,
            AllowHostLoopback = parse.GetValue(_hostLoopback),
            Restart = parse.GetValue(_restart),
            Start = parse.GetValue(_start),
            IdleSuspend = parse.GetValue(_idle) is { } idle && !Never.Contains(idle) ? DurationParser.Parse("--idle-suspend", idle, faults) : null,
            Timeout = parse.GetValue(_timeout) is { } timeout ? DurationParser.Parse("--timeout", timeout, faults) : null,
            Named = Named(parse),
            Exec = program is null ? NoProgram(parse, faults) : _programOptions.Read(parse, program, context.VerbatimArguments, stdin: true, faults),
        };
        if (parse.GetValue(_network) is { } network)
            config = config with { Network = network };
        config = _krun.Read(parse, context, config, faults);
        config = _delivery.Read(parse, context, config, faults);

        // Everything that is wrong at once, and before anything is touched. (.NET's figure is this process's limit where it has one.)
        faults.AddRange(InstanceValidator.Validate(config, Environment.ProcessorCount, (int)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20)));
        return faults.Count == 0 ? config : throw new FaultException(faults);
    }

    private NamedSettings Named(ParseResult parse) =>
        (parse.GetValue(_hypervisor) is null ? NamedSettings.None : NamedSettings.Hypervisor)
        | (parse.GetValue(_network) is null ? NamedSettings.None : NamedSettings.Network)
        | (_mounts.IsNone(parse) ? NamedSettings.Mounts : NamedSettings.None)
        | (parse.GetValue(_idle) is null ? NamedSettings.None : NamedSettings.IdleSuspend);

    private ExecRequest? NoProgram(ParseResult parse, List<Fault> faults)
    {
        foreach (var option in _programOptions.Given(parse).Concat(parse.GetResult(_arguments) is { Implicit: false } ? [_arguments.Name] : []))
            faults.Add(UsageFaults.Make($"{option} is for the program of --exec, but there is none.", "Name the program with --exec PATH; for one in a running cluster see 'gateway exec --help'."));
        return null;
    }
}

using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Options;

/// <summary>What is for libkrun alone.</summary>
internal sealed class KrunOptions
{
    private readonly Option<string?> _root = new("--rootfs") { Description = "Boot this folder (an unpacked root image) over virtio-fs, with libkrunfw's kernel, instead of the images.", HelpName = "DIR" };
    private readonly Option<string?> _runtime = new("--runtime-dir") { Description = $"Take libkrun and libkrunfw from this folder (or {KrunHypervisor.RuntimeVariable}).", HelpName = "DIR" };
    private readonly Option<string?> _logLevel = new("--krun-log-level") { Description = "How much libkrun says in its log: 0 (nothing) to 5 (2).", HelpName = "N" };

    public KrunOptions() => _logLevel.CompletionSources.Add("0", "1", "2", "3", "4", "5");

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _root, _runtime, _logLevel })
            command.Options.Add(option);
    }

    /// <summary>The hypervisor that a name means: <c>auto</c> leaves it open, <c>krun</c> is what libkrun's own tools call it.</summary>
    public static string? HypervisorOf(string? name) => name switch
    {
        "auto" => null,
        "krun" => HypervisorNames.Libkrun,
        _ => name,
    };

    /// <summary>Adds what was asked for, and a fault for each value that is wrong.</summary>
    public InstanceConfig Read(ParseResult parse, CommandContext context, InstanceConfig config, List<Fault> faults)
    {
        // The variable is for a whole shell, so it must not spoil a start with QEMU.
        var runtime = parse.GetValue(_runtime) ?? (config.Hypervisor == HypervisorNames.Qemu ? null : context.Host.Variable(KrunHypervisor.RuntimeVariable));
        if (parse.GetValue(_runtime) is not null && config.Hypervisor == HypervisorNames.Qemu)
            faults.Add(UsageFaults.Make("--runtime-dir is for libkrun, but --hypervisor qemu was asked for.", "Leave one of the two away."));
        config = config with
        {
            RootDirectory = Full(parse.GetValue(_root)),
            RuntimeDirectory = Full(runtime),
            KrunLogLevel = parse.GetValue(_logLevel) is { } level ? CountParser.Parse("--krun-log-level", level, "4", faults) : null,
        };

        // Here too: before packages are installed for a start that cannot be.
        faults.AddRange(RootDirectoryCheck.Faults(config));
        return config;
    }

    private static string? Full(string? path) => string.IsNullOrEmpty(path) ? null : Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}

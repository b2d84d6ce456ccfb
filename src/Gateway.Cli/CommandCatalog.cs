using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using OpenShell.Gateway.Cli.Commands;

namespace OpenShell.Gateway.Cli;

/// <summary>Every command. Adding one is a file in <c>Commands</c> and a line here.</summary>
internal static class CommandCatalog
{
    private static readonly Func<CommandContext, Command>[] All =
    [
        UpCommand.Create,
        ExecCommand.Create,
        StatusCommand.Create,
        ListCommand.Create,
        LogsCommand.Create,
        EventsCommand.Create,
        CpCommand.Create,
        PortCommand.Create,
        StopCommand.Create,
        SuspendCommand.Create,
        PauseCommand.Create,
        PauseCommand.CreateUnpause,
        RestartCommand.Create,
        EditCommand.Create,
        ResetCommand.Create,
        CloneCommand.Create,
        DeleteCommand.Create,
        DiskCommand.Create,
        ServiceCommand.Create,
        KubeconfigCommand.Create,
        ImageCommand.Create,
        KernelCommand.Create,
        BundleCommand.Create,
        PlanCommand.Create,
        RuntimeCommand.Create,
        TimelineCommand.Create,
        DoctorCommand.Create,
        SupportBundleCommand.Create,
        SetupCommand.Create,
        UninstallCommand.Create,
        CompletionCommand.Create,
        ManCommand.Create,
        SuperviseCommand.Create,
        BakeCommand.Create,
        VmmCommand.Create,
        KvmProbeCommand.Create,
        CompleteCommand.Create,
    ];

    /// <summary>This program's version.</summary>
    public static string Version { get; } = typeof(CommandCatalog).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>The whole command line.</summary>
    public static RootCommand CreateRoot(CommandContext context)
    {
        var root = new RootCommand(
            "A single-node Kubernetes cluster with the OpenShell gateway, in a microVM. Without a command it is started here, in the foreground, as by 'gateway up'.");
        root.Options.Add(context.VerboseOption);
        root.Options.Add(context.QuietOption);
        UpCommand.Configure(root, context);
        foreach (var create in All)
            root.Subcommands.Add(create(context));
        root.Options.OfType<VersionOption>().Single().Action = new ShowVersion(context.Host.Out);
        return root;
    }

    private sealed class ShowVersion(TextWriter writer) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            writer.WriteLine($"gateway {Version}");
            return ExitCodes.Success;
        }
    }
}

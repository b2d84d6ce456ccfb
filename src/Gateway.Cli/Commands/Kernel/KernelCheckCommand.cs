using System.CommandLine;
using System.Text;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Commands.Kernel;

/// <summary><c>gateway kernel check</c>: finds out what a kernel can do by doing it, in a machine of its own or in a running instance.</summary>
internal static class KernelCheckCommand
{
    public static Command Create(CommandContext context)
    {
        var kernel = new KernelOption();
        var name = new Option<string?>("--name") { Description = "Check the kernel of this running instance instead of starting a machine.", HelpName = "NAME" };
        name.CompletionSources.Add(Completing.InstanceNames.All);
        var output = new OutputOption();
        var command = new Command("check", "Find out what a kernel can do, by doing it inside a machine. Fails if something is missing that a cluster needs.") { kernel, name, output };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var report = parse.GetValue(name) is { } instance
                ? await CheckInstanceAsync(context, InstanceName.Parse(instance).Value, cancellation)
                : await CheckNewAsync(context, kernel.Of(parse), cancellation);
            if (json)
                CliJson.Write(context.Host.Out, View(report));
            else
                Show(context, report);
            return report.Ok ? ExitCodes.Success : ExitCodes.Failure;
        }));
        return command;
    }

    private static async Task<KernelReport> CheckInstanceAsync(CommandContext context, string name, CancellationToken cancellation)
    {
        await using var agent = await context.Host.Instances.ConnectAsync(name, cancellation);
        await using var process = await agent.ExecAsync(KernelCheck.Request, cancellation);
        return await RunAsync(process, cancellation);
    }

    private static async Task<KernelReport> CheckNewAsync(CommandContext context, string? kernel, CancellationToken cancellation)
    {
        var config = new InstanceConfig { Name = $"check-{Guid.NewGuid():N}"[..14], Mode = GuestMode.Exec, Network = "none", Kernel = kernel, Exec = KernelCheck.Request };
        if (InstanceValidator.Validate(config, Environment.ProcessorCount, (int)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20)) is { Count: > 0 } faults)
            throw new FaultException(faults);
        await PackageSetup.EnsureAsync(context, config);
        await using var running = await context.Host.Instances.RunAsync(config, cancellationToken: cancellation);
        if (await Task.WhenAny(running.Process, running.Completion) == running.Completion)
            await running.Completion; // it ended before its program began, and says why
        return await RunAsync(await running.Process, cancellation);
    }

    private static async Task<KernelReport> RunAsync(IGuestProcess process, CancellationToken cancellation)
    {
        var all = KernelCapabilities.All;
        var said = ReadAsync(process.Stdout);
        var errors = ReadAsync(process.Stderr);
        await process.Stdin.WriteAsync(Encoding.UTF8.GetBytes(KernelCheck.Script(all)), cancellation);
        await process.Stdin.DisposeAsync();
        await process.Completion.WaitAsync(cancellation);
        try
        {
            return KernelCheck.Read(all, await said);
        }
        catch (InvalidDataException e)
        {
            throw new FaultException(new Fault { Code = "kernel.check-broken", What = $"The check did not come to its end: {e.Message}. {(await errors).Trim()}", Remedy = "Run it again with -v; 'gateway --exec /bin/sh -t' gives a shell in such a machine." }, e);
        }

        async Task<string> ReadAsync(Stream stream)
        {
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return await reader.ReadToEndAsync(cancellation);
        }
    }

    private static KernelCheckView View(KernelReport report) => new(
        report.Ok,
        report.Release,
        [.. report.Findings.Select(f => new KernelCapabilityView(f.Capability.Name, f.Capability.Purpose, f.Capability.Required, f.Works, f.Capability.Options, f.Detail))]);

    private static void Show(CommandContext context, KernelReport report)
    {
        var table = new TextTable("CAPABILITY", "WORKS", "NEEDED", "FOR", "SAID");
        foreach (var (capability, works, detail) in report.Findings)
            table.Add(capability.Name, works ? "yes" : "no", capability.Required ? "yes" : "", capability.Purpose, works ? null : $"{string.Join(' ', capability.Options)}: {detail}");
        table.Write(context.Host.Out);
        var missing = report.Findings.Count(f => !f.Works && f.Capability.Required);
        context.Host.Out.WriteLine();
        context.Host.Out.WriteLine(missing == 0 ? $"Linux {report.Release} has everything that a cluster needs." : $"Linux {report.Release} lacks {missing} of what a cluster needs.");
    }
}

using System.CommandLine;
using System.Globalization;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Support;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Support;
using OpenShell.Vm.Support.Redaction;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway support-bundle</c>: all that helps somebody else to find out what went wrong, without secrets, in one file.</summary>
internal static class SupportBundleCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var file = new Option<string?>("--file", "-o") { Description = "The file to write, which must not be there (openshell-vm-support-NAME-TIME.tar.gz here).", HelpName = "FILE" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only list what would be in it." };
        var output = new OutputOption(withAlias: false);
        var command = new Command(
            "support-bundle",
            "Put logs, events, timeline, plan, versions and doctor's report of an instance (of this machine alone where there is none) into one tar.gz; keys, tokens, passwords and credentials are taken out.")
        {
            name, file, dryRun, output,
        };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var instance = await InstanceAsync(context, name, parse);
            var path = Path.GetFullPath(parse.GetValue(file) ?? DefaultName(instance?.Name, context.Host.Time.GetUtcNow()));
            SupportBundle.CheckTarget(path);
            var view = parse.GetValue(dryRun)
                ? Planned(context, instance, path)
                : await WriteAsync(context, instance, path, cancellation);
            if (json)
                CliJson.Write(context.Host.Out, view);
            else
                Show(context, view);
            return ExitCodes.Success;
        }));
        return command;
    }

    /// <summary>The one that is named; where none is, 'default', if it is there.</summary>
    private static async Task<InstanceStatus?> InstanceAsync(CommandContext context, NameOption name, ParseResult parse) =>
        name.Given(parse) is not null ? await KnownInstance.FindAsync(context, name.Of(parse)) : await context.Host.Instances.FindAsync(InstanceName.Default);

    private static string DefaultName(string? instance, DateTimeOffset now) =>
        $"openshell-vm-support-{instance ?? "host"}-{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}.tar.gz";

    private static bool Runs(InstanceStatus? instance) => instance?.Phase is InstancePhase.Ready or InstancePhase.Starting or InstancePhase.Stopping;

    private static SupportView Planned(CommandContext context, InstanceStatus? instance, string path) => new(
        path,
        instance?.Name,
        Written: false,
        [
            .. HostReport.Names(instance?.Name).Select(n => new SupportEntryView(n, "put together", null, null, null)),
            .. FilesOf(context, instance).OfType<HostFileItem>().Select(f => new SupportEntryView(f.Name, f.Path, f.Bytes, null, null)),
            .. Runs(instance) ? (SupportEntryView[])[new SupportEntryView("guest/*.log", "the guest's services", null, null, null)] : [],
        ],
        []);

    private static async Task<SupportView> WriteAsync(CommandContext context, InstanceStatus? instance, string path, CancellationToken cancellation)
    {
        var problems = new List<string>();
        var items = new List<SupportItem>(await new HostReport(context, problems).MakeAsync(instance?.Name, cancellation));
        items.AddRange(FilesOf(context, instance));
        if (Runs(instance))
            items.AddRange(await new GuestLogs(context, problems).ReadAsync(instance!.Name, cancellation));
        var redactor = new Redactor(new KnownSecrets(context.Host.Directories, HostReport.Environment()).All());
        var entries = await new SupportBundle(redactor, context.Host.Time).WriteAsync(path, items, problems, cancellation);
        return new SupportView(path, instance?.Name, Written: true, [.. entries.Select(e => new SupportEntryView(e.Name, e.From, e.Bytes, e.Redactions, e.Problem))], problems);
    }

    private static IReadOnlyList<SupportItem> FilesOf(CommandContext context, InstanceStatus? instance)
    {
        var files = new SupportFiles(context.Host.Directories);
        return [.. files.OfHost(), .. instance is null ? [] : files.OfInstance(instance.Name)];
    }

    private static void Show(CommandContext context, SupportView view)
    {
        var writer = context.Host.Out;
        if (!view.Written || !context.Quiet)
        {
            var table = new TextTable("FILE", "SIZE", "REDACTED", "FROM", "PROBLEM");
            foreach (var entry in view.Contents)
                table.Add(entry.Name, entry.Bytes is { } bytes ? Units.Size(bytes) : "-", entry.Redactions?.ToString(CultureInfo.InvariantCulture) ?? "-", entry.From, entry.Problem);
            table.Write(writer);
            writer.WriteLine();
        }

        foreach (var problem in view.Problems)
            context.Host.Error.WriteLine($"note: not in it: {problem}");
        if (view.Written)
            writer.WriteLine($"{view.File} is made ({Units.Size(new FileInfo(view.File).Length)}). Keys, tokens, passwords and credentials are taken out; look through it before you give it away.");
        else
            writer.WriteLine($"{view.File} would be made of these, with keys, tokens, passwords and credentials taken out. Nothing was written.");
        if (view.Instance is null && !context.Quiet)
            context.Host.Error.WriteLine($"It is about this machine alone: there is no instance '{InstanceName.Default}'. Another is named with --name.");
    }
}

using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Disk;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway disk</c>: how large the instances' disks are, and what can be done about it.</summary>
internal static class DiskCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Option<string?>("--name") { Description = "Only this instance.", HelpName = "NAME" };
        name.CompletionSources.Add(Completing.InstanceNames.All);
        var output = new OutputOption();
        var command = new Command("disk", "Show what the instances' disks use, take on this machine, and may grow to; give space back; make them larger.")
        {
            name,
            output,
            DiskCompactCommand.Create(context),
            DiskResizeCommand.Create(context),
        };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var names = parse.GetValue(name) is { } one
                ? [(await KnownInstance.FindAsync(context, Vm.Instances.InstanceName.Parse(one).Value)).Name]
                : (await context.Host.Instances.ListAsync()).Select(i => i.Name).ToList();
            var views = new List<DiskView>();
            foreach (var each in names)
                views.Add(await ViewAsync(context, each));
            if (json)
            {
                CliJson.Write<IReadOnlyList<DiskView>>(context.Host.Out, views);
                return ExitCodes.Success;
            }

            if (views.Count == 0)
            {
                if (!context.Quiet)
                    await context.Host.Error.WriteLineAsync("There are no instances; 'gateway up' makes one.");
                return ExitCodes.Success;
            }

            var table = new TextTable("NAME", "USED", "ALLOCATED", "SHARED", "MEMORY", "LIMIT", "CLONES", "WHAT IS WRONG");
            foreach (var view in views)
                table.Add(view.Name, Size(view.Used), Size(view.Allocated), view.Shared is > 0 ? Size(view.Shared) : null, view.Memory is > 0 ? Size(view.Memory) : null, Size(view.Limit), string.Join(' ', view.Clones), view.Problem?.What);
            table.Write(context.Host.Out);
            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>One that cannot be read does not keep the others from being shown.</summary>
    private static async Task<DiskView> ViewAsync(CommandContext context, string name)
    {
        try
        {
            return Of(name, await context.Host.Instances.DiskAsync(name));
        }
        catch (Exception e) when (e is FaultException or IOException or UnauthorizedAccessException)
        {
            var fault = e is FaultException known ? known.Faults[0] : new Fault { Code = "disk.unreadable", What = e.Message, Remedy = "See 'gateway list'." };
            return new DiskView(name, null, null, null, null, null, [], FaultView.Of(fault));
        }
    }

    /// <summary>As JSON shows it: what an interrupted save left takes the same room as a memory.</summary>
    public static DiskView Of(string name, DiskUse? use) => new(name, use?.Limit, use?.Used, use?.Allocated, use?.Shared, use?.Memory + use?.MemoryRemains, use?.Clones ?? [], null);

    private static string? Size(long? bytes) => bytes is { } known ? Units.Size(known) : "-";
}

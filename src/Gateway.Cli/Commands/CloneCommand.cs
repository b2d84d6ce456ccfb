using System.CommandLine;
using System.Globalization;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway clone</c></summary>
internal static class CloneCommand
{
    private const int Most = 64;

    public static Command Create(CommandContext context)
    {
        var source = new Argument<string>("SOURCE") { Description = "An instance. One that runs is held for some seconds." };
        source.CompletionSources.Add(Completing.InstanceNames.All);
        var destination = new Argument<string>("NAME") { Description = "The new instance; with --count the beginning of their names: NAME-1, NAME-2, ..." };
        var count = new Option<int?>("--count") { Description = $"Make so many (1 to {Most}).", HelpName = "N" };
        var command = new Command("clone", "Make a new instance with the data of another and ports of its own. It takes no space until the two differ. Of a suspended or running one it goes on from the memory, where that can be told whom it is.")
        {
            source, destination, count,
        };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var names = Names(parse.GetRequiredValue(destination), parse.GetValue(count));
            var from = (await KnownInstance.FindAsync(context, InstanceName.Parse(parse.GetRequiredValue(source)).Value)).Name;
            foreach (var made in await context.Host.Instances.CloneAsync(from, names, cancellation))
            {
                if (!context.Quiet)
                    await context.Host.Error.WriteLineAsync($"'{made.Name}' is a clone of '{from}'; 'gateway up --name {made.Name}' {(made.Phase == InstancePhase.Suspended ? "goes on from its memory" : "starts it")}.");
            }

            return ExitCodes.Success;
        }));
        return command;
    }

    private static IReadOnlyList<string> Names(string name, int? count) => count switch
    {
        null => [InstanceName.Parse(name).Value],
        >= 1 and <= Most => [.. Enumerable.Range(1, count.Value).Select(number => InstanceName.Parse(string.Create(CultureInfo.InvariantCulture, $"{name}-{number}")).Value)],
        _ => throw new FaultException(new Fault { Code = "clone.count", What = string.Create(CultureInfo.InvariantCulture, $"--count {count} is no number of clones."), Remedy = string.Create(CultureInfo.InvariantCulture, $"Give 1 to {Most}."), IsUsage = true }),
    };
}

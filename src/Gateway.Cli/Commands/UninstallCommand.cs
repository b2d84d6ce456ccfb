using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Service;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Terminals;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Uninstalling;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway uninstall</c>: removes all that was ever made, after showing it.</summary>
internal static class UninstallCommand
{
    private const string Word = "yes";

    public static Command Create(CommandContext context)
    {
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var force = new Option<bool>("--force", "-f") { Description = "Also while something runs: it is stopped first." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would be removed." };
        var output = new OutputOption();
        var command = new Command("uninstall", "Remove all that was ever made for you: instances, images, certificates, kubeconfigs, contexts, services at login. It is shown first.") { yes, force, dryRun, output };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var inventory = await OpenAsync(context);
            var belongings = inventory.All();
            var running = inventory.Running();
            var dry = parse.GetValue(dryRun);
            if (json && dry)
            {
                CliJson.Write(context.Host.Out, View(removed: false, belongings, running));
                return ExitCodes.Success;
            }

            if (!json)
                await ShowAsync(context, belongings, dry);
            if (dry || belongings.Count == 0)
                return ExitCodes.Success;
            if (running.Count > 0 && !parse.GetValue(force))
            {
                throw new FaultException(new Fault
                {
                    Code = "uninstall.running",
                    What = $"{string.Join(", ", running.Select(r => $"{r.Name} (pid {r.Process.Pid})"))} {(running.Count == 1 ? "runs" : "run")}; nothing was removed.",
                    Remedy = "Stop instances with 'gateway stop --name NAME', and wait for a golden image that is being baked; or add --force, which ends all of it.",
                });
            }

            if (inventory.UsedByOthers() is { Count: > 0 } others)
            {
                throw new FaultException(new Fault
                {
                    Code = "uninstall.others-running",
                    What = $"Somebody listens in {string.Join(", ", others)}: {(others.Count == 1 ? "an instance" : "instances")} of another data folder (XDG_DATA_HOME), with the same image cache; nothing was removed.",
                    Remedy = "Stop it with the environment that it was started with, then try again.",
                });
            }

            if (!parse.GetValue(yes) && !await AskAsync(context, cancellation))
                return ExitCodes.Failure;
            foreach (var instance in running.Where(r => r.IsInstance))
                await context.Host.Instances.StopAsync(instance.Name, force: true, cancellation);
            await Inventory.EndAsync(inventory.Running(), cancellation);
            inventory.Remove();
            await ServiceManager.ReloadAsync();
            if (json)
                CliJson.Write(context.Host.Out, View(removed: true, belongings, running));
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"All of it is removed. {Packages}");
            return ExitCodes.Success;
        }));
        return command;
    }

    private const string Packages = "Packages of Debian that 'gateway setup' installed stay, as does this program itself.";

    /// <summary>A kubeconfig of the user's that cannot be read is left alone, and said: it must not keep everything else.</summary>
    private static async Task<Inventory> OpenAsync(CommandContext context)
    {
        var services = ServiceCommand.ServicesOf(context);
        var inventory = new Inventory(context.Host.Directories, services, MergedContext.Of(context));
        try
        {
            _ = inventory.All();
            return inventory;
        }
        catch (FaultException e)
        {
            await context.Host.Error.WriteLineAsync($"note: {e.Faults[0].What} It is left as it is.");
            return new Inventory(context.Host.Directories, services, UserKubeconfig.None);
        }
    }

    private static async Task ShowAsync(CommandContext context, IReadOnlyList<Belonging> belongings, bool dry)
    {
        if (belongings.Count == 0)
        {
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync($"There is nothing to remove. {Packages}");
            return;
        }

        var writer = dry ? context.Host.Out : context.Host.Error;
        var table = new TextTable("WHAT", "SIZE", "WHERE");
        foreach (var belonging in belongings)
            table.Add(belonging.What, belonging.Bytes > 0 ? Units.Size(belonging.Bytes) : "-", belonging.Path);
        table.Write(writer);
    }

    private static async Task<bool> AskAsync(CommandContext context, CancellationToken cancellation)
    {
        if (!LibC.IsTerminal(LibC.Stdin))
            throw new FaultException(UsageFaults.Make("There is nobody to ask whether all of this is to be removed; nothing was.", "Add --yes, or --dry-run to only look."));
        await context.Host.Error.WriteAsync($"All of this is removed for good. Type '{Word}' to go on: ");
        var answer = await Console.In.ReadLineAsync(cancellation);
        if (answer?.Trim() == Word)
            return true;
        await context.Host.Error.WriteLineAsync("Nothing was removed.");
        return false;
    }

    private static UninstallView View(bool removed, IReadOnlyList<Belonging> belongings, IReadOnlyList<Holding> running) =>
        new(removed, belongings.Sum(b => b.Bytes), belongings, [.. running.Select(r => r.Name)]);
}

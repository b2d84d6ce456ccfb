using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway kubeconfig</c>: what kubectl needs, in a file of its own or merged into the user's.</summary>
internal static class KubeconfigCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var path = new Option<bool>("--path") { Description = "Print where the file is instead of what it says." };
        var merge = new Option<bool>("--merge") { Description = "Put the instance's context into your own kubeconfig (KUBECONFIG, or ~/.kube/config), and keep a copy of what that was." };
        var use = new Option<bool>("--use-context") { Description = "With --merge: also make it the current context." };
        var unmerge = new Option<bool>("--unmerge") { Description = "Take the instance's context out of your own kubeconfig again." };
        var output = new OutputOption();
        var command = new Command("kubeconfig", "Print the kubeconfig of an instance, or merge its context into your own.") { name, path, merge, use, unmerge, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            ThrowIfAtOdds(parse.GetValue(path), parse.GetValue(merge), parse.GetValue(use), parse.GetValue(unmerge));
            if (parse.GetValue(unmerge))
                return await UnmergeAsync(context, name.Of(parse), json);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            if (status.Kubeconfig is not { } file || !File.Exists(file))
            {
                throw new FaultException(new Fault
                {
                    Code = "instance.no-kubeconfig",
                    What = $"'{status.Name}' has no kubeconfig: it has not been ready yet.",
                    Remedy = "Start it with 'gateway up'.",
                });
            }

            if (parse.GetValue(merge))
                return await MergeAsync(context, status.Name, await File.ReadAllTextAsync(file), parse.GetValue(use), json);
            if (json)
                CliJson.Write(context.Host.Out, new KubeconfigView(status.Name, file));
            else if (parse.GetValue(path))
                await context.Host.Out.WriteLineAsync(file);
            else
                await context.Host.Out.WriteAsync(await File.ReadAllTextAsync(file));
            return ExitCodes.Success;
        });
        return command;
    }

    private static async Task<int> MergeAsync(CommandContext context, string name, string yaml, bool use, bool json)
    {
        var merged = MergedContext.Of(context).Merge(name, yaml, use);
        if (json)
            CliJson.Write(context.Host.Out, new MergeView(name, [merged.File], merged.Context, Merged: true, merged.IsCurrent));
        else if (!context.Quiet)
            await context.Host.Out.WriteLineAsync($"The context {merged.Context} is in {merged.File}{(merged.IsCurrent ? ", and is the current one" : $"; 'kubectl --context {merged.Context}' uses it")}.");
        return ExitCodes.Success;
    }

    // Also of an instance that is gone: its context may have been left.
    private static async Task<int> UnmergeAsync(CommandContext context, string name, bool json)
    {
        var files = MergedContext.Of(context).Unmerge(name);
        if (json)
            CliJson.Write(context.Host.Out, new MergeView(name, files, Kubeconfig.NameFor(name), Merged: false, Current: false));
        else if (!context.Quiet)
            await context.Host.Out.WriteLineAsync(files.Count == 0 ? $"The context {Kubeconfig.NameFor(name)} was not in your kubeconfig." : $"The context {Kubeconfig.NameFor(name)} is taken out of {string.Join(", ", files)}.");
        return ExitCodes.Success;
    }

    private static void ThrowIfAtOdds(bool path, bool merge, bool use, bool unmerge)
    {
        if ((path ? 1 : 0) + (merge ? 1 : 0) + (unmerge ? 1 : 0) > 1)
            throw new FaultException(UsageFaults.Make("--path, --merge and --unmerge do not go together.", "Give one of them."));
        if (use && !merge)
            throw new FaultException(UsageFaults.Make("--use-context is for --merge.", "Write 'gateway kubeconfig --merge --use-context'."));
    }
}

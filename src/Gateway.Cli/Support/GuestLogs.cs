using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Support;
using OpenShell.Vm.Support.Redaction;

namespace OpenShell.Gateway.Cli.Support;

/// <summary>Logs of the services in a guest that runs: asked for within a limit, since what is wrong may be that it does not answer.</summary>
internal sealed class GuestLogs(CommandContext context, List<string> problems)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);

    /// <summary>Those that could be had.</summary>
    public async Task<IReadOnlyList<SupportItem>> ReadAsync(string instance, CancellationToken cancellationToken)
    {
        var items = new List<SupportItem>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            await using var agent = await context.Host.Instances.ConnectAsync(instance, limit.Token);
            foreach (var service in await ServiceLog.ServicesAsync(agent, limit.Token))
            {
                // Not more than is kept: how long it is, the guest says, who is not to be believed.
                var tail = new TailStream(SupportBundle.MostBytes);
                await agent.ReadFileAsync($"{GuestPaths.Logs}/{service}.log", tail, limit.Token);
                items.Add(new TextItem($"guest/{FileName(service)}.log", SupportContent.Text, tail.Text()));
            }
        }
        catch (Exception e) when ((e is FaultException or IOException or OperationCanceledException) && !cancellationToken.IsCancellationRequested)
        {
            problems.Add($"guest/: {(e is FaultException fault ? fault.Faults[0].What : e is OperationCanceledException ? $"the guest did not answer within {Limit.TotalSeconds:0} s" : e.Message)}");
        }

        return items;
    }

    // The guest chooses the names.
    private static string FileName(string service) => string.Concat(service.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>The log of a service in the guest, read over the agent channel.</summary>
internal sealed class ServiceLog(CommandContext context, string instance, string service)
{
    private readonly string _path = $"{GuestPaths.Logs}/{service}.log";

    /// <summary>Copies it to stdout.</summary>
    public async Task<int> PrintAsync(bool follow, CancellationToken cancellationToken)
    {
        await using var agent = await context.Host.Instances.ConnectAsync(instance, cancellationToken);
        if (!follow)
        {
            try
            {
                await agent.ReadFileAsync(_path, LocalStreams.LogOutput(context), cancellationToken);
                return ExitCodes.Success;
            }
            catch (FileNotFoundException)
            {
                throw await UnknownAsync(agent, cancellationToken);
            }
        }

        return await FollowAsync(agent, cancellationToken);
    }

    // The guest's own tail waits for more; its output comes as any program's does, and Ctrl-C ends it.
    private async Task<int> FollowAsync(IGuestAgent agent, CancellationToken cancellationToken)
    {
        if (!(await ServicesAsync(agent, cancellationToken)).Contains(service))
            throw await UnknownAsync(agent, cancellationToken);
        await using var tail = await agent.ExecAsync(new ExecRequest { Program = "tail", Arguments = ["-n", "+1", "-F", _path] }, cancellationToken);
        await Task.WhenAll(tail.Stdout.CopyToAsync(LocalStreams.LogOutput(context), cancellationToken), tail.Stderr.CopyToAsync(Stream.Null, cancellationToken));
        return (await tail.Completion.WaitAsync(cancellationToken)).ExitCode;
    }

    private async Task<FaultException> UnknownAsync(IGuestAgent agent, CancellationToken cancellationToken) => new(new Fault
    {
        Code = "instance.no-log",
        What = $"The guest of '{instance}' has no log of a service '{service}'.",
        Remedy = $"Name one of: {string.Join(", ", ["console", "vmm", "gvproxy", "supervisor", .. await ServicesAsync(agent, cancellationToken)])}.",
    });

    /// <summary>The services that have a log.</summary>
    internal static async Task<IReadOnlyList<string>> ServicesAsync(IGuestAgent agent, CancellationToken cancellationToken)
    {
        await using var list = await agent.ExecAsync(new ExecRequest { Program = "ls", Arguments = ["-1", GuestPaths.Logs] }, cancellationToken);
        using var names = new StreamReader(list.Stdout);
        var text = await names.ReadToEndAsync(cancellationToken);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(n => n.EndsWith(".log", StringComparison.Ordinal)).Select(n => n[..^4])];
    }
}

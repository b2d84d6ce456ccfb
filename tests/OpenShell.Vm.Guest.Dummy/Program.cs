using System.Net.Sockets;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol.Messages;

// Listens on the Unix socket of the first argument; told to power off, it reports how many orphans it met, and then when it has no child left.
using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
listener.Bind(new UnixDomainSocketEndPoint(args[0]));
listener.Listen();
using var reaper = new ChildReaper(ReaperScope.AllChildren);
var power = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
await using var agent = new AgentServer(
    AgentPort.From(async token => new NetworkStream(await listener.AcceptAsync(token), ownsSocket: true)),
    reaper,
    (_, _) =>
    {
        power.TrySetResult();
        return Task.CompletedTask;
    });
_ = agent.ConnectAsync();
await power.Task;
await agent.ReportAsync(new StageReport { Stage = "orphans", State = StageState.Completed, UptimeNanoseconds = reaper.OrphansReaped });
await reaper.WhenChildless();
await agent.ReportAsync(new StageReport { Stage = "childless", State = StageState.Completed, UptimeNanoseconds = 0 });
await Task.Delay(Timeout.Infinite);

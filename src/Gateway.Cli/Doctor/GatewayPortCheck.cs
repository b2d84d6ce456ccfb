using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>The port that the instance 'default' serves the gateway on.</summary>
internal sealed class GatewayPortCheck : IHostCheck
{
    private const int Port = 30051;

    public string Name => "port 30051";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, Port));
            socket.Listen(1);
            return [new CheckResult(Name, CheckState.Ok, "free")];
        }
        catch (SocketException e)
        {
            var holders = (await context.Host.Instances.ListAsync(cancellationToken)).Where(i => i.Ports.Any(p => p.HostPort == Port) && i.Phase is InstancePhase.Ready or InstancePhase.Starting);
            return holders.FirstOrDefault() is { } holder
                ? [new CheckResult(Name, CheckState.Ok, $"used by the instance '{holder.Name}'")]
                : [new CheckResult(Name, CheckState.Warning, e.Message, "Start the gateway on another port: gateway up --gateway-port 0")];
        }
    }
}

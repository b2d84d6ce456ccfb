using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Networking;

/// <summary>gvproxy's control API, over its Unix socket.</summary>
internal sealed class GvproxyClient(string socket) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) =>
            new NetworkStream(await UnixSocket.ConnectAsync(socket, cancellationToken).ConfigureAwait(false), ownsSocket: true),
    })
    {
        // The name is ignored by gvproxy; HTTP wants one.
        BaseAddress = new Uri("http://gvproxy/"),
        Timeout = TimeSpan.FromSeconds(10),

        // Root of the guest can have gvproxy put another socket in the place of this one, and answer itself.
        MaxResponseContentBufferSize = 1 << 20,
    };

    /// <summary>Opens a port of the host.</summary>
    /// <exception cref="FaultException">The port is busy (<c>network.port-busy</c>), or gvproxy refuses (<c>network.forward-refused</c>).</exception>
    internal async Task ExposeAsync(PortForward forward, CancellationToken cancellationToken)
    {
        var unix = SocketOf(forward);
        unix?.Prepare();
        var request = new Expose(Local(forward), Remote(forward), Name(forward.Protocol));
        using var response = await _http.PostAsJsonAsync("services/forwarder/expose", request, GvproxyJson.Default.Expose, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            await PublishAsync(unix, forward, cancellationToken).ConfigureAwait(false);
            return;
        }

        // gvproxy has only one status for every failure, and says which in words.
        var why = (await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)).Trim();
        throw unix is null && why.Contains("address already in use", StringComparison.Ordinal) ? PortFaults.Busy(forward, $"-p of {forward.GuestPort}") : Refused($"{Local(forward)}: {why}");
    }

    private async Task PublishAsync(ForwardSocket? unix, PortForward forward, CancellationToken cancellationToken)
    {
        try
        {
            unix?.Publish();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await UnexposeAsync(forward, cancellationToken).ConfigureAwait(false);
            throw new FaultException(SocketFile.WhyNot(forward.HostSocket!, forward.Option()) ?? Refused($"{forward.HostSocket}: {e.Message}").Faults[0]);
        }
    }

    /// <summary>Closes a port of the host again; what is open on it stays open.</summary>
    internal async Task UnexposeAsync(PortForward forward, CancellationToken cancellationToken)
    {
        var request = new Unexpose(Local(forward), Name(forward.Protocol));
        using var response = await _http.PostAsJsonAsync("services/forwarder/unexpose", request, GvproxyJson.Default.Unexpose, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw Refused($"{Local(forward)}: {(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)).Trim()}");
        SocketOf(forward)?.Withdraw();
    }

    /// <summary>The forwards in force.</summary>
    internal async Task<IReadOnlyList<PortForward>> ListAsync(CancellationToken cancellationToken)
    {
        var all = await _http.GetFromJsonAsync("services/forwarder/all", GvproxyJson.Default.IReadOnlyListExpose, cancellationToken).ConfigureAwait(false);
        return [.. (all ?? []).Select(Read).OfType<PortForward>()];
    }

    private ForwardSocket? SocketOf(PortForward forward) => forward.HostSocket is { } path ? new ForwardSocket(Path.GetDirectoryName(socket)!, path) : null;

    private static PortForward? Read(Expose one)
    {
        // A Unix socket's other end is written as a URL.
        var remote = Uri.TryCreate(one.Remote, UriKind.Absolute, out var url) && url.Scheme == "tcp" ? url.Port : IPEndPoint.TryParse(one.Remote, out var end) ? end.Port : 0;
        return one.Protocol switch
        {
            "unix" => ForwardSocket.PathOf(one.Local) is { } path ? new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = path, GuestPort = remote } : null,
            "tcp" or "udp" when IPEndPoint.TryParse(one.Local, out var local) => new PortForward
            {
                Protocol = one.Protocol == "udp" ? PortProtocol.Udp : PortProtocol.Tcp,
                HostAddress = local.Address.ToString(),
                HostPort = local.Port,
                GuestPort = remote,
            },
            _ => null,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    // With the address always: ":30051" alone would listen on every interface of the host.
    private string Local(PortForward forward) => SocketOf(forward)?.Inner ?? new IPEndPoint(IPAddress.Parse(forward.HostAddress), forward.HostPort).ToString();

    // An IPv4 literal: a name in its place crashes the handler (0.8.1).
    private static string Remote(PortForward forward) => $"{(forward.Protocol == PortProtocol.Unix ? "tcp://" : "")}{GuestNetworkPlan.GuestAddress}:{forward.GuestPort}";

    private static string Name(PortProtocol protocol) => protocol switch
    {
        PortProtocol.Tcp => "tcp",
        PortProtocol.Udp => "udp",
        _ => "unix",
    };

    private static FaultException Refused(string why) => new(new Fault
    {
        Code = "network.forward-refused",
        Stage = BootStages.Network,
        What = $"gvproxy refused the forward {why}.",
        Remedy = "See gvproxy.log in the instance's folder; 'gateway logs --source gvproxy' shows it.",
    });
}

internal sealed record Expose(string Local, string Remote, string Protocol);

internal sealed record Unexpose(string Local, string Protocol);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Expose))]
[JsonSerializable(typeof(Unexpose))]
[JsonSerializable(typeof(IReadOnlyList<Expose>))]
internal sealed partial class GvproxyJson : JsonSerializerContext;

using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>A program of a cluster that can be killed, as it is found among the processes of the guest.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Program">The name of its program.</param>
/// <param name="Contains">What its command line has, where several run the same program.</param>
internal sealed record Component(string Name, string Program, string Contains = "");

/// <summary>A running cluster of some distribution, brought up as a user would, that all tests of a collection share. What differs between distributions is abstract here.</summary>
public abstract class TestCluster : IAsyncLifetime
{
    // Lines "PID START" (proc(5): the start makes a number that is used again another process), without a program of its own for each: there are a hundred.
    private const string FindScript = """
        for p in /proc/[0-9]*; do
          mapfile -d '' -t c 2>/dev/null < $p/cmdline || continue
          l="${c[*]}"; w=${l%% *}
          if [ "${w##*/}" = "$1" ] && [[ $l == *"$2"* ]]; then read -r -a s < $p/stat && echo ${s[0]} ${s[21]}; fi
        done
        """;

    /// <summary>The NodePort to which <see cref="NodePortOnHost"/> leads.</summary>
    internal const int NodePort = 31080;

    private Task<string>? _image;
    private KubeApi? _api;

    internal virtual TestHome Home { get; } = new();

    internal GatewayCli Gateway => new(Home);

    /// <summary>The instance's name.</summary>
    internal abstract string Name { get; }

    /// <summary>Where the volumes of the class <c>local-path</c> are in the guest.</summary>
    internal abstract string Volumes { get; }

    /// <summary>What is killed to see whether it comes back.</summary>
    internal abstract IReadOnlyList<Component> Components { get; }

    /// <summary>A port of the host that is forwarded to <see cref="NodePort"/>.</summary>
    internal int NodePortOnHost { get; } = FreePort();

    /// <summary>How often it was started.</summary>
    internal int Starts { get; private protected set; }

    internal Kubectl Kubectl => new(Name == "default" ? Home.Kubeconfig : Path.Combine(Home.Home, ".kube", $"gateway-{Name}.yaml"), Home);

    /// <summary>Its API, as the administrator. It moves to another port with a start.</summary>
    internal KubeApi Api
    {
        get
        {
            if (_api is null || _api.Kubeconfig != File.ReadAllText(Kubectl.Kubeconfig))
            {
                _api?.Dispose();
                _api = new KubeApi(Kubectl.Kubeconfig);
            }

            return _api;
        }
    }

    /// <summary>Before each test: the cluster is up, or the test is skipped, or it fails with what kept the cluster from coming up.</summary>
    internal abstract Task RequireAsync();

    /// <summary>Starts it again after a stop.</summary>
    internal abstract Task StartAgainAsync();

    /// <summary>What <c>gateway status --output json</c> says.</summary>
    internal async Task<JsonElement> StatusAsync()
    {
        using var json = JsonDocument.Parse((await GatewayAsync("status", "--output", "json")).OrFail());
        return json.RootElement.Clone();
    }

    /// <summary>A gateway command about this cluster: <c>gateway COMMAND --name NAME …</c>.</summary>
    internal Task<Finished> GatewayAsync(string command, params IReadOnlyList<string> arguments) => Gateway.RunAsync([command, "--name", Name, .. arguments]);

    /// <summary><c>gateway exec … -- PROGRAM …</c> on this cluster.</summary>
    internal Task<Finished> ExecAsync(params IReadOnlyList<string> arguments) => GatewayAsync("exec", arguments);

    /// <summary>A line of shell in the guest.</summary>
    internal async Task<string> ShellAsync(string line) => (await ExecAsync("--", "sh", "-c", line)).OrFail();

    /// <summary>The processes of a component, each as its number and its start.</summary>
    internal async Task<IReadOnlyList<string>> FindAsync(Component component) =>
        (await ExecAsync("--", "bash", "-c", FindScript, "bash", component.Program, component.Contains)).OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>An image in the cluster that has busybox and kubectl.</summary>
    internal Task<string> ImageAsync() => _image ??= TestImage.LoadAsync(this);

    public abstract ValueTask InitializeAsync();

    public virtual ValueTask DisposeAsync()
    {
        _api?.Dispose();
        Home.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

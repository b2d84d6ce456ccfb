using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>What runs in a pod reaches neither the host's loopback nor the control of the network that it is on.</summary>
public sealed class IsolationTests(ClusterFixture cluster) : NamespaceTest(cluster)
{
    [Theory]
    [InlineData("ordinary", "")]
    [InlineData("hostnetwork", "  hostNetwork: true")]
    public async Task A_pod_cannot_reach_the_hosts_loopback_nor_the_control_of_its_network(string name, string spec)
    {
        using var secret = new Listener();
        await PodAsync(name, "sleep 100000", spec);
        await Namespaced.WaitAsync("condition=Ready", "pod/" + name);

        (await ConnectAsync(name, $"192.168.127.254 {secret.Port}")).ShouldNotBe(0);
        (await ConnectAsync(name, "192.168.127.1 80")).ShouldNotBe(0);
        (await ConnectAsync(name, $"192.168.127.1 {secret.Port}")).ShouldNotBe(0);
        secret.Accepted.ShouldBe(0);

        // The same tool reaches what a pod may reach, and the listener is there for those on the host.
        var server = (await Kubectl.RunAsync("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")).Trim();
        (await ConnectAsync(name, server + " 443")).ShouldBe(0);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, secret.Port, TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync("the listener accepts on the host", () => Task.FromResult(secret.Accepted == 1), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Whole_frames_written_past_the_IP_hooks_do_not_reach_them_either()
    {
        Requirements.SkipUnless("gcc", "gcc");
        using var secret = new Listener();
        using var build = new TestHome();
        var program = Path.Combine(build.Home, "syn-frame");
        (await HostProgram.RunAsync("gcc", ["-static", "-O1", "-o", program, Path.Combine(AppContext.BaseDirectory, "Cluster", "syn-frame.c")], TimeSpan.FromMinutes(2))).OrFail();

        // A root container on the guest's network has CAP_NET_RAW from containerd, and so all that this program needs.
        await PodAsync("raw", "sleep 100000", "  hostNetwork: true");
        await Namespaced.WaitAsync("condition=Ready", "pod/raw");
        (await HostProgram.RunAsync("kubectl", ["--kubeconfig", Kubectl.Kubeconfig, "--namespace", Namespaced.Namespace!, "exec", "-i", "raw", "--", "sh", "-c", "cat > /tmp/syn-frame; chmod 755 /tmp/syn-frame"],
            TimeSpan.FromMinutes(2), input: await File.ReadAllBytesAsync(program, TestContext.Current.CancellationToken))).OrFail();
        var gateway = (await Namespaced.RunAsync("exec", "raw", "--", "sh", "-c", "ping -c 1 -W 5 192.168.127.1 > /dev/null; grep '^192.168.127.1 ' /proc/net/arp")).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];

        foreach (var bypass in (string[])["0", "1"])
        {
            (await SynAsync(gateway, "192.168.127.1", 53, bypass)).ShouldBe(0, "gvproxy's name server answers, so that no answer elsewhere means something");
            (await SynAsync(gateway, "192.168.127.254", secret.Port, bypass)).ShouldBe(1);
            (await SynAsync(gateway, "192.168.127.1", 80, bypass)).ShouldBe(1);
            (await SynAsync(gateway, "127.0.0.1", secret.Port, bypass)).ShouldBe(1);
            (await SynAsync(gateway, "0.0.0.0", secret.Port, bypass)).ShouldBe(1);
        }

        secret.Accepted.ShouldBe(0);
    }

    private async Task<int> SynAsync(string gateway, string address, int port, string bypass) =>
        (await Namespaced.TryAsync("exec", "raw", "--", "/tmp/syn-frame", "eth0", gateway, "192.168.127.2", address, $"{port}", bypass)).ExitCode;

    // 0 only if a connection came about. busybox' nc ends when the other side closes, or after the timeout; stdin is empty.
    private async Task<int> ConnectAsync(string pod, string target) =>
        (await Namespaced.TryAsync("exec", pod, "--", "sh", "-c", $"nc -w 5 {target} </dev/null >/dev/null 2>&1")).ExitCode;

    /// <summary>Something on the host's loopback that is none of the guest's business.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private int _accepted;

        public Listener()
        {
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Accepted => Volatile.Read(ref _accepted);

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    Interlocked.Increment(ref _accepted);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The end of the test.
            }
        }
    }
}

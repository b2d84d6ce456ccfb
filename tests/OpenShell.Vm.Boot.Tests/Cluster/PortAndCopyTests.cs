using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>Forwards that come and go while the machine runs, files that are copied, and the events of both.</summary>
public sealed class PortAndCopyTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_forward_leads_into_the_guest_until_it_is_removed()
    {
        var socket = Path.Combine(Cluster.Home.Root, "api.sock");
        var tcp = await AddAsync("0:6443");
        await AddAsync($"{socket}:6443");

        (await TlsAnswersAsync(new IPEndPoint(IPAddress.Loopback, tcp.GetProperty("hostPort").GetInt32()))).ShouldBeTrue();
        (await TlsAnswersAsync(new UnixDomainSocketEndPoint(socket))).ShouldBeTrue();
        using var config = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(Cluster.Home.Data, "openshell-vm", "instances", Cluster.Name, "config.json"), TestContext.Current.CancellationToken));
        config.RootElement.GetProperty("addedPorts").GetArrayLength().ShouldBe(2);

        var end = $"127.0.0.1:{tcp.GetProperty("hostPort").GetInt32()}";
        (await PortAsync("add", $"{end}:81")).Err.ShouldContain("is forwarded already");
        (await PortAsync("add", $"{end}:6443")).Err.ShouldContain("is forwarded already");
        (await PortAsync("remove", end)).OrFail();
        (await PortAsync("remove", socket)).OrFail();
        (await PortAsync("remove", end)).Err.ShouldContain("There is no forward");
        (await PortAsync("remove", "30051")).ExitCode.ShouldBe(1);

        await Should.ThrowAsync<SocketException>(() => TlsAnswersAsync(IPEndPoint.Parse(end)));
        File.Exists(socket).ShouldBeFalse();
        var events = (await Cluster.GatewayAsync("events", "--output", "json")).OrFail();
        events.ShouldContain("\"event\":\"instance.ready\"");
        events.ShouldContain("\"event\":\"forward.added\"");
        events.ShouldContain("\"event\":\"forward.removed\"");
    }

    [Fact]
    public async Task Datagrams_are_forwarded()
    {
        var added = await AddAsync("0:25354/udp");
        const string Echo = """$s = IO::Socket::INET->new(Proto => "udp", LocalAddr => "0.0.0.0:25354") or die $!; print "ready\n"; $| = 1; while ($s->recv($b, 100)) { $s->send("echo $b") }""";
        using var server = Cluster.Gateway.Start("exec", "--name", Cluster.Name, "--", "perl", "-MIO::Socket::INET", "-e", "$|=1; " + Echo);
        try
        {
            if (await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) != "ready")
                Assert.Fail(await server.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            using var client = new UdpClient();
            client.Connect(IPAddress.Loopback, added.GetProperty("hostPort").GetInt32());
            await client.SendAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
            var answer = await client.ReceiveAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(GatewayCli.Short, TestContext.Current.CancellationToken);
            Encoding.ASCII.GetString(answer.Buffer).ShouldBe("echo hello");
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
            (await PortAsync("remove", $"127.0.0.1:{added.GetProperty("hostPort").GetInt32()}/udp")).OrFail();
        }
    }

    [Fact]
    public async Task A_busy_port_and_an_address_of_another_machine_are_told()
    {
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();

        (await PortAsync("add", $"{((IPEndPoint)busy.LocalEndpoint).Port}:80")).Err.ShouldContain($"(pid {Environment.ProcessId})");
        (await PortAsync("add", "192.0.2.7:18080:80")).Err.ShouldContain("has no address 192.0.2.7");
    }

    [Fact]
    public async Task A_tree_there_and_back_is_the_same()
    {
        var source = Directory.CreateDirectory(Path.Combine(Cluster.Home.Root, "tree")).FullName;
        var data = RandomNumberGenerator.GetBytes(5_000_001);
        await File.WriteAllBytesAsync(Path.Combine(source, "large"), data, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(source, "run"), "#!/bin/sh\necho it runs\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(source, "run"), (UnixFileMode)0x1ED);
        File.CreateSymbolicLink(Path.Combine(source, "link"), "run");
        using (var sparse = File.OpenHandle(Path.Combine(source, "sparse"), FileMode.CreateNew, FileAccess.Write))
            RandomAccess.SetLength(sparse, 1L << 30);

        (await Cluster.Gateway.RunAsync("cp", source, $"{Cluster.Name}:/srv/copied/tree")).OrFail();
        (await Cluster.ExecAsync("--", "sh", "-c", "cd /srv/copied/tree && ./link && du -k sparse | cut -f1 && stat -c '%u %s' sparse && sha256sum large | cut -d' ' -f1")).OrFail()
            .ShouldBe($"it runs\n0\n0 {1L << 30}\n{Convert.ToHexStringLower(SHA256.HashData(data))}\n");
        (await Cluster.Gateway.RunAsync("cp", $"{Cluster.Name}:/srv/copied/tree/.", Path.Combine(Cluster.Home.Root, "back"))).OrFail();

        (await File.ReadAllBytesAsync(Path.Combine(Cluster.Home.Root, "back", "large"), TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(data).ShouldBeTrue();
        File.GetUnixFileMode(Path.Combine(Cluster.Home.Root, "back", "run")).ShouldBe((UnixFileMode)0x1ED);
        new FileInfo(Path.Combine(Cluster.Home.Root, "back", "link")).LinkTarget.ShouldBe("run");

        var archive = await Cluster.Gateway.RunAsync("cp", "-q", $"{Cluster.Name}:/srv/copied/tree/run", "-");
        archive.ExitCode.ShouldBe(0, archive.Err);
        Encoding.ASCII.GetString(archive.Output).ShouldContain("echo it runs");
        (await Cluster.Gateway.RunAsync(GatewayCli.Short, archive.Output, "cp", "-", $"{Cluster.Name}:/srv/copied/again")).OrFail();
        (await Cluster.ExecAsync("--", "/srv/copied/again/run")).OrFail().ShouldBe("it runs\n");
    }

    [Fact]
    public async Task The_image_cannot_be_written_to_and_that_is_said()
    {
        var run = await Cluster.Gateway.RunAsync("cp", "/etc/hostname", $"{Cluster.Name}:/usr/lib/x");

        run.ExitCode.ShouldBe(1);
        run.Err.ShouldContain("read-only");
        run.Err.ShouldContain("/srv");
    }

    private async Task<JsonElement> AddAsync(string forward)
    {
        using var added = JsonDocument.Parse((await PortAsync("add", forward, "--output", "json")).OrFail());
        return added.RootElement.Clone();
    }

    private Task<Finished> PortAsync(string command, params string[] arguments) => Cluster.Gateway.RunAsync(["port", command, "--name", Cluster.Name, .. arguments]);

    /// <summary>That a connection comes about proves nothing: whoever answers must speak TLS, as the API server does.</summary>
    private static async Task<bool> TlsAnswersAsync(EndPoint end)
    {
        using var socket = new Socket(end.AddressFamily, SocketType.Stream, end.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(end, TestContext.Current.CancellationToken);
        await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate?.Subject.Contains("apiserver", StringComparison.OrdinalIgnoreCase) ?? false);
        await tls.AuthenticateAsClientAsync("kubernetes").WaitAsync(GatewayCli.Short, TestContext.Current.CancellationToken);
        return tls.RemoteCertificate is not null;
    }
}

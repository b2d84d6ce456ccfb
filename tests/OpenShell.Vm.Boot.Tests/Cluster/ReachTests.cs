using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>Who in a guest reaches what of the host, tried out, beside the table of docs/threat-model.md: either is wrong when they differ.</summary>
public sealed class ReachTests(ClusterFixture cluster) : NamespaceTest(cluster)
{
    private const string LoopbackTcp = "host's loopback, TCP";
    private const string LoopbackUdp = "host's loopback, UDP";
    private const string Control = "gvproxy's control API";
    private const string OtherTcp = "host's other addresses, TCP";
    private const string OtherUdp = "host's other addresses, UDP";
    private const string AgentPort = "agent's port";
    private const string Reached = "reached";
    private const string Refused = "refused";

    private const string OrdinaryPod = "ordinary pod";
    private const string HostNetworkPod = "hostNetwork pod";
    private const string PrivilegedPod = "privileged pod";
    private const string Root = "root of the guest";
    private const string RootWithoutRules = "root of the guest, rules removed";
    private const string Program = "program of --exec";
    private const string ProgramWithoutRoutes = "program of --exec, routes removed";

    private const string Rules = GuestPaths.Run + "/firewall.nft";
    private const string InGuest = "/run/reach";

    [Fact]
    public async Task Who_reaches_what_of_the_host_is_what_the_threat_model_says()
    {
        Requirements.SkipUnless("gcc", "gcc");
        using var loopback = new EchoListeners(IPAddress.Loopback);
        using var other = OtherAddress() is { } address ? new EchoListeners(address) : null;
        using var build = new TestHome();
        var program = await CompileAsync(build, "reach");
        var attempts = Attempts(loopback, other);
        await ControlOnTheHostAsync(loopback, other);

        var found = new Dictionary<string, IReadOnlyDictionary<string, string>>();
        (string Who, string Name, string Spec)[] pods =
        [
            (OrdinaryPod, "ordinary", ""),
            (HostNetworkPod, "hostnetwork", "  hostNetwork: true"),
            (PrivilegedPod, "privileged", "      securityContext: {privileged: true}"),
        ];
        await Task.WhenAll(pods.Select(pod => PodAsync(pod.Name, "sleep 100000", pod.Spec)));
        foreach (var (who, name, _) in pods)
        {
            await ReadyAsync(name);
            found[who] = Parse((await HostProgram.RunAsync(
                "kubectl",
                ["--kubeconfig", Kubectl.Kubeconfig, "--namespace", Space, "exec", "-i", name, "--", "sh", "-c", $"cat > /tmp/reach; chmod 755 /tmp/reach; {Line("/tmp/reach", who, attempts)}"],
                TimeSpan.FromMinutes(2),
                input: program)).OrFail());
        }

        (await Cluster.Gateway.RunAsync(TimeSpan.FromMinutes(2), program, "exec", "-i", "--name", Cluster.Name, "--", "sh", "-c", $"cat > {InGuest}; chmod 755 {InGuest}")).OrFail();
        found[Root] = Parse(await Cluster.ShellAsync(Line(InGuest, Root, attempts)));
        try
        {
            found[RootWithoutRules] = Parse(await Cluster.ShellAsync($"nft delete table inet openshell && nft delete table netdev openshell && {Line(InGuest, RootWithoutRules, attempts)}"));
        }
        finally
        {
            await Cluster.ShellAsync("nft --file " + Rules);
        }

        // The rules are as before: the next tests are in need of them.
        Parse(await Cluster.ShellAsync(Line(InGuest, Root, attempts))).ShouldBe(found[Root]);

        var output = (await Cluster.Gateway.RunAsync(
            GatewayCli.Long,
            program,
            "--exec", "/bin/sh", "--args", "-c",
            $"cat > {InGuest}; chmod 755 {InGuest}; {Line(InGuest, Program, attempts)}; echo; ip route del unreachable {Closed} || route del -host {Closed} reject || exit 3; {Line(InGuest, ProgramWithoutRoutes, attempts)}")).OrFail();
        var runs = output.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        runs.Length.ShouldBe(2, output);
        found[Program] = Parse(runs[0]);
        found[ProgramWithoutRoutes] = Parse(runs[1]);

        var columns = attempts.Select(attempt => attempt.Column).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(Text(found, columns));
        var expected = ThreatModel.Table("reach");
        expected.Keys.Order(StringComparer.Ordinal).ShouldBe(found.Keys.Order(StringComparer.Ordinal));
        Text(found, columns).ShouldBe(Text(found.Keys.ToDictionary(who => who, who => expected[who]), columns));

        // What came back came from here, and what was refused did not even arrive.
        var heard = loopback.Heard.Concat(other?.Heard ?? new HashSet<string>()).Where(line => !line.StartsWith("host/", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        heard.ShouldBe(found.SelectMany(who => who.Value
            .Where(cell => cell.Value == Reached && cell.Key is LoopbackTcp or LoopbackUdp or OtherTcp or OtherUdp)
            .Select(cell => $"{who.Key}/{cell.Key}")).Order(StringComparer.Ordinal));
    }

    /// <summary>What gvproxy's control API would do to files of the host if it could, asked by the root of a guest that nothing holds off it.</summary>
    [Fact]
    public async Task Root_of_a_guest_makes_and_removes_no_socket_of_the_host()
    {
        Assert.SkipWhen(Hypervisors.FileConfinement.SystemVersion == 0, "this kernel has no Landlock");
        using var place = new TestHome();
        var victim = Path.Combine(place.Root, "victim.sock");
        var made = Path.Combine(place.Root, "made.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(victim));
        listener.Listen();
        var script = string.Concat(new[] { victim, made }.Select(path => $$$"""
            body='{"local":"{{{path}}}","remote":"tcp://192.168.127.2:99","protocol":"unix"}'
            exec 3<>/dev/tcp/192.168.127.1/80 || exit 3
            printf 'POST /services/forwarder/expose HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s' ${#body} "$body" >&3
            cat <&3; echo

            """));
        var said = (await Cluster.Gateway.StartAsync("--exec", "/bin/bash", "--args", "-c", script)).OrFail();

        // It was asked, and it tried.
        said.Split('\n').Count(line => line.Contains("permission denied", StringComparison.Ordinal)).ShouldBe(2, said);
        File.Exists(made).ShouldBeFalse();
        using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await caller.ConnectAsync(new UnixDomainSocketEndPoint(victim), TestContext.Current.CancellationToken);
        (await listener.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();
    }

    [Fact]
    public async Task The_guest_has_the_devices_that_the_threat_model_says_and_no_others()
    {
        Requirements.SkipUnless("gcc", "gcc");
        using var build = new TestHome();
        (await Cluster.Gateway.RunAsync(TimeSpan.FromMinutes(2), await CompileAsync(build, "fwcfg"), "exec", "-i", "--name", Cluster.Name, "--", "sh", "-c", "cat > /run/fwcfg; chmod 755 /run/fwcfg")).OrFail();
        var seen = (await Cluster.ShellAsync("""
            for disk in /sys/block/*; do
                case $disk in */loop* | */ram* | */zram*) continue ;; esac
                echo "disk $(cat $disk/serial 2>/dev/null) $(cat $disk/ro)"
            done
            for port in /sys/class/virtio-ports/*; do echo "port $(cat $port/name)"; done
            for device in /sys/bus/virtio/devices/*; do echo "virtio $(cat $device/device)"; done
            for device in /sys/bus/pci/devices/*; do echo "pci $(cat $device/vendor) $(cat $device/class)"; done
            for bus in usb scsi; do for device in /sys/bus/$bus/devices/*; do [ -e $device ] && echo "other $bus"; done; done
            awk '$3 ~ /^(9p|virtiofs|vboxsf|fuse.*)$/ { print "share " $2 }' /proc/mounts
            /run/fwcfg | sed 's/^/fwcfg /'
            """)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToLookup(words => words[0], words => words[1..]);
        var table = ThreatModel.Table("devices").ToDictionary(row => row.Key, row => row.Value["in the guest"]);

        string.Join(", ", seen["disk"].Select(disk => disk[0] + (disk[1] == "1" ? " (read-only)" : "")).Order(StringComparer.Ordinal)).ShouldBe(table["disks"]);
        string.Join(", ", seen["port"].Select(port => port[0])).ShouldBe(table["serial ports of virtio"]);
        string.Join(", ", seen["virtio"].Select(device => VirtioName(Convert.ToInt32(device[0], 16))).GroupBy(name => name).OrderBy(kind => kind.Key, StringComparer.Ordinal)
            .Select(kind => kind.Count() == 1 ? kind.Key : $"{kind.Count()} {kind.Key}")).ShouldBe(table["virtio devices"]);

        // What is not virtio's (vendor 1af4) is a bridge (class 06): the host's devices are not here.
        seen["pci"].ShouldNotBeEmpty();
        seen["pci"].Where(device => device[0] != "0x1af4" && !device[1].StartsWith("0x06", StringComparison.Ordinal)).Select(device => string.Join(' ', device)).ShouldBeEmpty();
        table["PCI devices besides virtio's"].ShouldBe("bridges");
        string.Join(", ", seen["other"].Select(other => other[0]).Distinct().DefaultIfEmpty("none")).ShouldBe(table["USB and SCSI devices"]);
        string.Join(", ", seen["share"].Select(share => share[0]).DefaultIfEmpty("none")).ShouldBe(table["folders of the host"]);

        // What QEMU was given by its command line is below opt/; its own tables are below etc/.
        seen["fwcfg"].ShouldNotBeEmpty();
        string.Join(", ", seen["fwcfg"].Select(file => file[0]).Where(file => file.StartsWith("opt/", StringComparison.Ordinal)).DefaultIfEmpty("none")).ShouldBe(table["files of the user in fw_cfg"]);
    }

    [Fact]
    public async Task QEMU_listens_on_no_port_so_that_its_control_is_out_of_reach()
    {
        var status = await Cluster.StatusAsync();
        var processes = status.GetProperty("processes");

        Listening(processes.GetProperty("vmm").GetProperty("pid").GetInt32()).ShouldBeEmpty();

        // gvproxy does, and this way of looking sees it: the forwards, all on loopback.
        var forwards = Listening(processes.GetProperty("gvproxy").GetProperty("pid").GetInt32());
        forwards.Count.ShouldBe(status.GetProperty("ports").GetArrayLength());
        forwards.ShouldAllBe(address => address.StartsWith("0100007F:", StringComparison.Ordinal));
    }

    private static string Closed => "192.168.127.254";

    private static List<(string Column, string Arguments)> Attempts(EchoListeners loopback, EchoListeners? other)
    {
        List<(string, string)> attempts =
        [
            (LoopbackTcp, $"tcp {Closed} {loopback.TcpPort}"),
            (LoopbackUdp, $"udp {Closed} {loopback.UdpPort}"),
            (Control, "http 192.168.127.1 80"),
            (AgentPort, "port"),
        ];
        if (other is not null)
            attempts.AddRange([(OtherTcp, $"tcp {other.Address} {other.TcpPort}"), (OtherUdp, $"udp {other.Address} {other.UdpPort}")]);
        return attempts;
    }

    private static string Line(string program, string who, IEnumerable<(string Column, string Arguments)> attempts) =>
        $"{program} \"{who}\" {string.Join(' ', attempts.Select(attempt => $"\"{attempt.Column}\" {attempt.Arguments}"))}";

    private static Dictionary<string, string> Parse(string output)
    {
        var found = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(line => line[..line.LastIndexOf(' ')], line => line[(line.LastIndexOf(' ') + 1)..]);
        found.Values.ShouldAllBe(value => value == Reached || value == Refused);
        return found;
    }

    private static string Text(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> table, IReadOnlyList<string> columns) =>
        string.Join('\n', table.Select(row => $"{row.Key}: {string.Join(", ", columns.Select(column => $"{column} {row.Value.GetValueOrDefault(column, "is not in the table")}"))}"));

    // Who is on the host reaches all of them: a refusal elsewhere means something.
    private static async Task ControlOnTheHostAsync(params EchoListeners?[] listeners)
    {
        foreach (var listener in listeners.OfType<EchoListeners>())
        {
            using var client = new TcpClient();
            await client.ConnectAsync(listener.Address, listener.TcpPort, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync("host/tcp\n"u8.ToArray(), TestContext.Current.CancellationToken);
            using var datagrams = new UdpClient(listener.Address.ToString(), listener.UdpPort);
            await datagrams.SendAsync("host/udp\n"u8.ToArray(), TestContext.Current.CancellationToken);
            await Eventually.HoldsAsync("the listeners hear the host", () => Task.FromResult(listener.Heard.SetEquals(["host/tcp", "host/udp"])), TimeSpan.FromSeconds(10));
        }
    }

    private static IPAddress? OtherAddress() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(network => network.OperationalStatus == OperationalStatus.Up && network.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .SelectMany(network => network.GetIPProperties().UnicastAddresses)
        .Select(unicast => unicast.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));

    private static async Task<byte[]> CompileAsync(TestHome build, string name)
    {
        var program = Path.Combine(build.Home, name);
        (await HostProgram.RunAsync("gcc", ["-static", "-O1", "-o", program, Path.Combine(AppContext.BaseDirectory, "Cluster", name + ".c")], TimeSpan.FromMinutes(2))).OrFail();
        return await File.ReadAllBytesAsync(program, TestContext.Current.CancellationToken);
    }

    // https://docs.oasis-open.org/virtio/virtio/v1.2/virtio-v1.2.html, 5 Device Types.
    private static string VirtioName(int type) => type switch
    {
        1 => "network",
        2 => "disks",
        3 => "serial",
        4 => "randomness",
        9 => "9p",
        26 => "virtio-fs",
        _ => $"type {type}",
    };

    /// <summary>Local addresses, as /proc/net has them, on which a process listens by TCP, or takes UDP from anybody.</summary>
    private static List<string> Listening(int pid)
    {
        const string Listen = "0A", Unconnected = "07";
        var sockets = Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Select(fd => new FileInfo(fd).LinkTarget ?? "").Where(target => target.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(target => target["socket:[".Length..^1]).ToHashSet();
        (string Name, string State)[] lists = [("tcp", Listen), ("tcp6", Listen), ("udp", Unconnected), ("udp6", Unconnected)];
        return [.. lists.Where(list => File.Exists("/proc/net/" + list.Name)).SelectMany(list => File.ReadLines("/proc/net/" + list.Name).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == list.State && sockets.Contains(fields[9]))
            .Select(fields => fields[1]))];
    }
}

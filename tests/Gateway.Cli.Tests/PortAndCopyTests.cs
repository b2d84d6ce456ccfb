using System.Text;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary><c>port</c>, <c>cp</c>, <c>events</c> and <c>--mount</c>, as far as they are this program's.</summary>
public sealed class PortAndCopyTests : IDisposable
{
    private readonly Harness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task Ports_are_added_removed_and_listed()
    {
        var added = await _harness.DummyAsync("port", "add", "--name", "running", "5353:53/udp");
        added.ExitCode.ShouldBe(0, added.Error);
        added.Out.ShouldBe("127.0.0.1:5353 -> 53/udp\n");
        (await _harness.DummyAsync("port", "remove", "--name", "running", "8080")).Out.ShouldBe("127.0.0.1:8080 -> 80 is not forwarded any more\n");
        _harness.JournalText.ShouldBe("port add running 127.0.0.1:5353 -> 53/udp\nport remove running 8080\n");

        (await _harness.DummyAsync("port", "list", "--name", "running")).Out.ShouldBe(
            """
            THIS MACHINE       GUEST       STATE    FOR
            127.0.0.1:30051    30051/tcp   open     the gateway
            [::1]:5353         53/udp      open
            /run/me/web.sock   80/tcp      closed

            """);
        (await _harness.DummyAsync("port", "list", "--name", "running", "--output", "json")).Out.ShouldContain(
            """
              {
                "protocol": "unix",
                "hostSocket": "/run/me/web.sock",
                "guestPort": 80,
                "open": false
              }
            """);
    }

    [Theory]
    [InlineData("port add 80:80/sctp", "tcp and udp")]
    [InlineData("port add 8080", "only one port is given")]
    [InlineData("port add", "argument")]
    [InlineData("cp a b", "Neither 'a' nor 'b' is in an instance.")]
    [InlineData("cp one:/a two:/b", "Both paths are in an instance.")]
    [InlineData("cp :relative b", "the path in the guest is not absolute")]
    [InlineData("cp UPPER:/a b", "UPPER")]
    [InlineData("cp :/a b --max-size many", "it is not a size")]
    [InlineData("up --mount /tmp", "--mount '/tmp': it is not of the form HOST:GUEST.")]
    [InlineData("up --mount /tmp:mnt", "'mnt' is not an absolute path in the guest")]
    [InlineData("up --mount /tmp:/usr/x", "the guest cannot make /usr/x")]
    public async Task What_makes_no_sense_is_a_usage_error(string line, string said)
    {
        var result = await _harness.DummyAsync(line.Split(' '));
        result.ExitCode.ShouldBe(2, result.Error);
        result.Error.ShouldContain(said);
        _harness.JournalText.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("cp running:/etc/hosts .", "read /etc/hosts follow=False max=1099511627776")]
    [InlineData("cp -L --max-size 2g running:/etc/. out", "read /etc/ follow=True max=2147483648")]
    [InlineData("cp ./a:b running:/tmp/", "write /tmp/ name=a:b contents=False")]
    [InlineData("cp /etc/. running:/tmp/x", "write /tmp/x name=etc contents=True")]
    [InlineData("cp /etc/hosts :/tmp", "write /tmp name=hosts contents=False")]
    [InlineData("cp - :/tmp", "write /tmp name= contents=True")]
    [InlineData("cp :/tmp -", "read /tmp follow=False max=1099511627776")]
    public async Task Both_ends_of_a_copy_are_told_apart(string line, string done)
    {
        var result = await _harness.DummyAsync(line.Split(' '));
        result.ExitCode.ShouldBe(0, result.Error);
        result.Error.ShouldContain("Copied ");
        _harness.JournalText.ShouldBe(done + "\n");
    }

    [Fact]
    public async Task Events_are_printed_for_people_and_for_programs()
    {
        var folder = Path.Combine(_harness.Home, ".local/share/openshell-vm/instances/running");
        Directory.CreateDirectory(folder);
        const string First = """{"at":"2026-01-02T03:04:05+00:00","event":"instance.ready","severity":"info","instance":"running","message":"ready"}""";
        const string Second = """{"at":"2026-01-02T03:04:06+00:00","event":"service.exited","severity":"warning","instance":"running","subject":"etcd","message":"etcd ended\u001b[2J"}""";
        await File.WriteAllTextAsync(Path.Combine(folder, "events.jsonl.1"), First + "\n", Encoding.UTF8.Preamble.IsEmpty ? Encoding.UTF8 : new UTF8Encoding(false), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "events.jsonl"), Second + "\n{\"at\":\"2026-", TestContext.Current.CancellationToken);

        (await _harness.DummyAsync("events", "--name", "running", "--output", "json")).Out.ShouldBe($"{First}\n{Second.Replace("\\u001b", "\\u001B", StringComparison.Ordinal)}\n");
        var text = (await _harness.DummyAsync("events", "--name", "running")).Out.Split('\n');
        text[0].ShouldEndWith("info      instance.ready         ready");
        text[1].ShouldEndWith("warning   service.exited         etcd ended [2J");
    }
}

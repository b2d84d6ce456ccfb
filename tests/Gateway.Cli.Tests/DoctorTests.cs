using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Gateway.Cli.Doctor;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary>The real doctor, on this machine, with a home in which things are wrong.</summary>
public sealed class DoctorTests : IDisposable
{
    // A number that a process of this machine has had, with a start that it never had.
    private static readonly string Gone = $"{Environment.ProcessId}-1";

    private readonly Harness _harness = new();

    public DoctorTests() => Write(".local/share/openshell-vm/instances/default/config.json", """{"name": "default", "mode": "Cluster"}""");

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task What_was_left_and_what_is_open_is_told_and_with_fix_mended_each_after_it_is_shown()
    {
        var program = Folder($"run/openshell-vm/exec.{Gone}-abc123");
        var aside = Folder($".local/share/openshell-vm/instances/.making-{Gone}-0123");
        var kubeconfig = Write(".kube/gateway.yaml", "clusters: []");
        File.SetUnixFileMode(kubeconfig, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var closed = Folder(".local/share/openshell-vm/instances/default");
        foreach (var folder in (string[])[closed, Home("run/openshell-vm")])
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var told = await DoctorAsync();
        foreach (var path in (string[])[program, aside, kubeconfig])
            told.Out.ShouldContain(path);
        told.Out.ShouldContain("'gateway doctor --fix' does this:");
        Directory.Exists(program).ShouldBeTrue();
        File.GetUnixFileMode(kubeconfig).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var fixedIt = await DoctorAsync("--fix");
        fixedIt.Out.ShouldContain($"leftovers: --fix removes {program}: its process {Environment.ProcessId} has ended\n  done\n");
        fixedIt.Out.ShouldContain($"leftovers: --fix removes {aside}: ");
        fixedIt.Out.ShouldContain($"rights: --fix changes the mode of {kubeconfig} to 0600: ");
        fixedIt.Out[fixedIt.Out.IndexOf("CHECK ", StringComparison.Ordinal)..].ShouldNotContain(program);
        Directory.Exists(program).ShouldBeFalse();
        Directory.Exists(aside).ShouldBeFalse();
        File.GetUnixFileMode(kubeconfig).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        using var json = JsonDocument.Parse((await DoctorAsync("--fix", "--output", "json")).Out);
        json.RootElement.GetProperty("repairs").EnumerateArray().Where(r => r.GetProperty("check").GetString() is "leftovers" or "rights").ShouldBeEmpty();
    }

    [Fact]
    public async Task In_json_it_is_said_what_fix_would_do_and_did()
    {
        var program = Folder($"run/openshell-vm/exec.{Gone}-abc123");

        var told = await ChecksAsync();
        told["leftovers"].GetProperty("fix").GetString().ShouldStartWith($"removes {program}: ");

        var result = await DoctorAsync("--fix", "--output", "json");
        using var json = JsonDocument.Parse(result.Out);
        json.RootElement.GetProperty("repairs").EnumerateArray().ShouldContain(r => r.GetProperty("check").GetString() == "leftovers" && r.GetProperty("done").GetBoolean());
        result.Error.ShouldContain($"removes {program}");
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_and_the_exit_code_tells()
    {
        var result = await _harness.RunAsync(Harness.Dummy, ["doctor", "--fix"], environment: e => e["DUMMY_MISSING"] = "qemu-system-x86");

        result.ExitCode.ShouldBe(1);
        result.Out.ShouldMatch("packages +failed +missing or too old: qemu-system-x86");
        if (Environment.IsPrivilegedProcess)
            result.Out.ShouldContain("packages: --fix installs qemu-system-x86\n  not done: Packages can only be installed by root.");
        result.Out.ShouldContain("packages: Install them: sudo ./gateway setup");
    }

    [Fact]
    public async Task A_port_that_the_next_start_needs_and_somebody_has_prevents_it()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        Write(".local/share/openshell-vm/instances/default/config.json", $$"""{"name": "default", "mode": "Cluster", "gatewayPort": {{port}}}""");

        var result = await DoctorAsync();

        result.ExitCode.ShouldBe(1);
        result.Out.ShouldMatch($@"port {port} +failed +Port {port} of 127.0.0.1, for the gateway, is in use by .*\(pid {Environment.ProcessId}\)");
        result.Out.ShouldContain("gateway up --gateway-port 0");
    }

    [Fact]
    public async Task A_proxy_is_told_without_its_credentials_and_asked_whether_it_answers()
    {
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        var url = $"127.0.0.1:{((IPEndPoint)proxy.LocalEndpoint).Port}";

        var checks = await ChecksAsync(e =>
        {
            e["http_proxy"] = $"http://joe:hunter2@{url}";
            e["https_proxy"] = "http://:0";
            e["no_proxy"] = "localhost";
        });

        checks["http_proxy"].GetProperty("finding").GetString().ShouldBe($"http://{url} (with credentials), which answers");
        checks["https_proxy"].GetProperty("state").GetString().ShouldBe("failed");
        checks["no_proxy"].GetProperty("state").GetString().ShouldBe("warning");
        checks["no_proxy"].GetProperty("remedy").GetString().ShouldEndWith(",localhost");
        checks.Values.ShouldAllBe(c => !c.GetRawText().Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_configuration_of_default_that_cannot_be_read_prevents_up()
    {
        Write(".local/share/openshell-vm/instances/default/config.json", "{");

        var checks = await ChecksAsync();

        checks["instance default"].GetProperty("state").GetString().ShouldBe("failed");
    }

    [Theory]
    [InlineData(16.0, 12.0, CheckState.Ok)]
    [InlineData(16.0, 2.0, CheckState.Warning)]
    [InlineData(4.0, null, CheckState.Warning)]
    [InlineData(1.5, 1.0, CheckState.Failed)]
    internal void Memory_is_judged_by_what_there_is(double total, double? available, CheckState state) =>
        MemoryCheck.Judge((long)(total * 1e9), available is { } free ? (long)(free * 1e9) : null, "memory").State.ShouldBe(state);

    [Theory]
    [InlineData(10_000, 4_000, 1_000, CheckState.Ok)]
    [InlineData(3_000, 4_000, 1_000, CheckState.Warning)]
    [InlineData(900, 4_000, 1_000, CheckState.Failed)]
    internal void Space_is_judged_by_what_is_needed(long free, long wanted, long least, CheckState state) =>
        FoldersCheck.Judge("cache", "/somewhere", free * 1_000_000, wanted * 1_000_000, least * 1_000_000).State.ShouldBe(state);

    [Fact]
    public void A_clock_before_this_program_was_made_is_wrong()
    {
        var made = new DateTimeOffset(2026, 11, 23, 3, 0, 0, TimeSpan.Zero);

        File.Exists(CliHost.ProgramFile).ShouldBeTrue();
        ClockCheck.Judge("clock", made.AddDays(-30), made, true).State.ShouldBe(CheckState.Failed);
        ClockCheck.Judge("clock", made.AddHours(-20), made, true).State.ShouldBe(CheckState.Ok);
        ClockCheck.Judge("clock", made.AddYears(1), made, false).Finding.ShouldBe("2027-11-23 03:00 UTC; no time service is known to keep it");
    }

    [Fact]
    public void A_certificate_from_the_future_says_that_the_clock_was_set_back()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var made = DateTimeOffset.UtcNow;
        using var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=x", key, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSelfSigned(made, made.AddDays(1));
        var path = Write("tls.crt", certificate.ExportCertificatePem());

        ClockCheck.Judge("certificate default", made.AddHours(-1), path, isDefault: true).ShouldNotBeNull().State.ShouldBe(CheckState.Failed);
        ClockCheck.Judge("certificate default", made.AddDays(2), path, isDefault: false).ShouldNotBeNull().State.ShouldBe(CheckState.Warning);
        ClockCheck.Judge("certificate default", made.AddHours(1), path, isDefault: true).ShouldBeNull();
        ClockCheck.Judge("certificate default", made, Write("torn.crt", "-----BEGIN"), isDefault: true).ShouldNotBeNull().State.ShouldBe(CheckState.Warning);
    }

    [Theory]
    [InlineData(100, CheckState.Failed)]
    [InlineData(1024, CheckState.Warning)]
    [InlineData(20_000, CheckState.Ok)]
    [InlineData(long.MaxValue, CheckState.Ok)]
    internal void Open_files_are_judged_by_their_limit(long limit, CheckState state) => LimitsCheck.Files(limit).State.ShouldBe(state);

    [Theory]
    [InlineData(0, CheckState.Warning)]
    [InlineData(1, CheckState.Ok)]
    [InlineData(7, CheckState.Ok)]
    internal void A_kernel_without_landlock_is_told(int version, CheckState state) => ConfinementCheck.Judge(version).State.ShouldBe(state);

    [Theory]
    [InlineData(128, 8192, 3, CheckState.Ok)]
    [InlineData(128, 8192, 120, CheckState.Warning)]
    [InlineData(64, 8192, 3, CheckState.Warning)]
    [InlineData(128, 1000, 3, CheckState.Warning)]
    internal void Inotify_is_judged_by_what_is_left(long instances, long watches, int inUse, CheckState state) => LimitsCheck.Inotify(instances, watches, inUse).State.ShouldBe(state);

    [Theory]
    [InlineData(null, false)]
    [InlineData("localhost", false)]
    [InlineData("localhost,127.0.0.1", true)]
    [InlineData("*", true)]
    public void Clients_must_not_ask_a_proxy_for_the_gateway(string? except, bool kept) => ProxyCheck.KeepsLoopback(except).ShouldBe(kept);

    private async Task<Dictionary<string, JsonElement>> ChecksAsync(Action<IDictionary<string, string?>>? environment = null)
    {
        var result = await _harness.RunAsync(Harness.Gateway, ["doctor", "--output", "json"], environment: e =>
        {
            OwnRun(e);
            environment?.Invoke(e);
        });
        var json = JsonDocument.Parse(result.Out).RootElement;
        (result.ExitCode == 0).ShouldBe(json.GetProperty("ok").GetBoolean());
        return json.GetProperty("checks").EnumerateArray().GroupBy(c => c.GetProperty("name").GetString()!).ToDictionary(g => g.Key, g => g.First());
    }

    private Task<CommandResult> DoctorAsync(params string[] arguments) => _harness.RunAsync(Harness.Gateway, ["doctor", .. arguments], environment: OwnRun);

    private void OwnRun(IDictionary<string, string?> environment)
    {
        Directory.CreateDirectory(Home("run"));
        environment["XDG_RUNTIME_DIR"] = Home("run");
        foreach (var name in (string[])["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"])
            environment.Remove(name);
    }

    private string Home(string path) => Path.Combine(_harness.Home, path);

    private string Folder(string path) => Directory.CreateDirectory(Home(path)).FullName;

    private string Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Home(path))!);
        File.WriteAllText(Home(path), content);
        return Home(path);
    }
}

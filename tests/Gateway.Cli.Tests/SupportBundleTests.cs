using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary>The real command in a home with secrets of every kind, planted where they could get to. None of them may be found in the archive.</summary>
public sealed class SupportBundleTests : IDisposable
{
    private const string Instance = ".local/share/openshell-vm/instances/default/";

    private readonly Harness _harness = new();
    private readonly List<string> _secrets = [];
    private int _number;

    public SupportBundleTests() => Write(Instance + "config.json", """{"name": "default", "mode": "Cluster"}""");

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task No_secret_that_was_planted_is_in_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var guest = RSA.Create(2048);
        var clientKey = Key(key.ExportPkcs8PrivateKeyPem());
        var guestKey = Key(guest.ExportRSAPrivateKeyPem());

        // What is known on this host, and then stands bare in a log.
        var proxyPassword = Secret();
        var registryPassword = Secret();
        var registryToken = Secret();
        var mirrorPassword = Secret();
        var apiKey = Secret();
        var kubeToken = Secret();
        var basic = Planted(Convert.ToBase64String(Encoding.UTF8.GetBytes($"joe:{registryPassword}")));
        Write(".docker/config.json", JsonSerializer.Serialize(new { auths = new Dictionary<string, object> { ["reg.example"] = new { auth = basic, identitytoken = registryToken } } }));
        var credentials = Write("mirror-auth", $"joe:{mirrorPassword}\n");
        Write(".config/openshell/gateways/openshell-vm-default/mtls/tls.key", clientKey);
        Write(".config/openshell/gateways/openshell-vm-default/metadata.json", """{"name": "openshell-vm-default", "gateway_endpoint": "https://127.0.0.1:30051", "is_remote": false, "gateway_port": 30051}""");
        Write(".kube/gateway.yaml", $"users:\n- name: openshell-default\n  user:\n    client-key-data: {Planted(Convert.ToBase64String(Encoding.ASCII.GetBytes(clientKey)))}\n    token: {kubeToken}\n");

        // By structure.
        Write(Instance + "config.json", $$$"""
            {
              "name": "default", "mode": "Cluster",
              "proxy": {"http": "http://joe:{{{Secret()}}}@proxy.example:3128"},
              "registryMirrors": [{"upstream": "docker.io", "url": "https://mirror.example", "credentialsFile": "{{{credentials}}}"}],
              "exec": {"program": "/bin/sh", "arguments": ["-c", "login --password {{{Secret()}}}"], "environment": ["PLAIN={{{Secret()}}}"]}
            }
            """);
        Write(Instance + "plan.json", $$$"""{"instance": "default", "token": "{{{Secret()}}}", "nested": {"secrets": ["{{{Secret()}}}"]}}""");
        Write(Instance + "fault.json", $$"""[{"code": "x", "what": "Authorization: Bearer {{Secret()}}"}]""");
        Write(Instance + "events.jsonl", JsonSerializer.Serialize(new { at = "2026-11-23T03:00:00Z", @event = "instance.failed", message = guestKey }) + "\n" + $$$"""{"message":"{\"password\":\"{{{Secret()}}}\"}"}""" + "\n{ torn, token=" + Secret() + "\n");
        Write(Instance + "timeline.jsonl", $$"""{"stage":"network","detail":"https://joe:{{Secret()}}@mirror.example/v2/"}""" + "\n");

        // By pattern, and bare.
        Write(Instance + "supervisor.log", $"proxy said {proxyPassword}\nregistry said {registryPassword} and {registryToken}\nmirror {mirrorPassword}\nenvironment {apiKey}\nkube {kubeToken}\n{clientKey}\n");
        Write(Instance + "console.log", $"k3s server --token {Secret()}\n{guestKey}\nK10{new string('a', 64)}::server:{Secret()}\n{guestKey[..^60]}");
        Write(Instance + "console.log.1", $"{guestKey[900..]}\npassword: {Secret()}\n");
        Write(Instance + "console.1.log", $"AWS_SECRET_ACCESS_KEY={Secret()}\n");
        Write(Instance + "qemu.log", $"secret,id=sec0,data={"x"} password={Secret()}\n");
        Write(Instance + "gvproxy.log", $"GET / Proxy-Authorization: Basic {basic}\nset-cookie: sid={Secret()}\neyJhbGciOiJSUzI1NiJ9.{Planted("eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ")}.{Planted("c2lnbmF0dXJlLW9mLXRoZS10b2tlbg")}\n");
        Write(".cache/openshell-vm/logs/root.log", $"apt: http://joe:{Secret()}@deb.example/\nusing {Planted("ghp_0123456789abcdefghijklmnopqrstuvwxyz")}\n//nuget.example/:_authToken={Secret()}\nmachine deb.example login joe password {Secret()}\n");

        var result = await _harness.RunAsync(Harness.Gateway, ["support-bundle", "-o", "out.tar.gz"], environment: e =>
        {
            e["https_proxy"] = $"http://joe:{proxyPassword}@127.0.0.1:9";
            e["OPENSHELL_TEST_API_KEY"] = apiKey;
        });

        result.ExitCode.ShouldBe(0, result.Error);
        var files = Read("out.tar.gz");
        foreach (var name in (string[])["host/doctor.txt", "host/doctor.json", "host/versions.json", "host/facts.json", "host/build-logs/root.log", "instance/config.json", "instance/plan.json", "instance/timeline.jsonl", "instance/events.jsonl", "instance/console.log", "instance/console.log.1", "instance/supervisor.log", "instance/kubeconfig.yaml", "instance/files.txt", "contents.txt", "README.txt"])
            files.Keys.ShouldContain($"out/{name}");
        _secrets.Count.ShouldBeGreaterThan(50);
        foreach (var (name, text) in files)
        {
            foreach (var secret in _secrets)
            {
                text.ShouldNotContain(secret, Case.Sensitive, name);
                text.ShouldNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)), Case.Sensitive, name);
            }
        }

        // What helps is still there.
        files["out/instance/config.json"].ShouldContain("https://mirror.example");
        files["out/instance/kubeconfig.yaml"].ShouldContain("openshell-default");
        files["out/instance/console.log"].ShouldContain("k3s server --token [redacted]");
        files["out/instance/timeline.jsonl"].ShouldContain("@mirror.example/v2/");
        (result.Out + result.Error).ShouldNotContain(proxyPassword);
    }

    [Fact]
    public async Task A_dry_run_lists_and_writes_nothing()
    {
        Write(Instance + "console.log", "hello\n");

        var result = await _harness.GatewayAsync("support-bundle", "--dry-run");

        result.ExitCode.ShouldBe(0, result.Error);
        result.Out.ShouldMatch("instance/console.log +6 B");
        result.Out.ShouldMatch("host/doctor.json +-");
        result.Out.ShouldContain("Nothing was written.");
        Directory.GetFiles(_harness.Home, "*.tar.gz").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_is_there_is_not_overwritten()
    {
        Write("out.tar.gz", "mine");

        var result = await _harness.GatewayAsync("support-bundle", "-o", "out.tar.gz");

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldContain("is there already; nothing was written");
        File.ReadAllText(Path.Combine(_harness.Home, "out.tar.gz")).ShouldBe("mine");
    }

    [Fact]
    public async Task An_instance_that_is_broken_has_one_all_the_same()
    {
        Write(Instance + "config.json", "{ \"token\": \"hunter22\", ");
        Write(Instance + "status.json", "torn");
        Write(Instance + "console.log", "the last words\n");
        Directory.CreateDirectory(Path.Combine(_harness.Home, Instance, "supervisor.log"));

        var result = await _harness.GatewayAsync("support-bundle", "--output", "json", "-o", "out.tar.gz");

        result.ExitCode.ShouldBe(0, result.Error);
        using var json = JsonDocument.Parse(result.Out);
        json.RootElement.EnumerateObject().Select(p => p.Name).ShouldBe(["file", "instance", "written", "contents", "problems"]);
        json.RootElement.GetProperty("problems").EnumerateArray().ShouldContain(p => p.GetString()!.StartsWith("instance/next-start.json", StringComparison.Ordinal));
        var files = Read("out.tar.gz");
        files["out/instance/console.log"].ShouldBe("the last words\n");
        files["out/instance/config.json"].ShouldNotContain("hunter22");
        files["out/contents.txt"].ShouldContain("not there: instance/next-start.json");
    }

    [Fact]
    public async Task Without_an_instance_it_is_about_the_machine()
    {
        Directory.Delete(Path.Combine(_harness.Home, ".local"), recursive: true);

        var result = await _harness.GatewayAsync("support-bundle");

        result.ExitCode.ShouldBe(0, result.Error);
        var file = Directory.GetFiles(_harness.Home, "openshell-vm-support-host-*.tar.gz").ShouldHaveSingleItem();
        Read(file).Keys.ShouldContain(k => k.EndsWith("/host/doctor.json", StringComparison.Ordinal));
        (await _harness.GatewayAsync("support-bundle", "--name", "nobody")).ExitCode.ShouldBe(1);
    }

    [Fact]
    public async Task Logs_of_the_guest_are_asked_for_while_it_runs_and_only_their_end_is_kept()
    {
        (await _harness.DummyAsync("support-bundle", "--name", "running", "--dry-run")).Out.ShouldContain("guest/*.log");
        Write("logs/kubelet.log", "the pod sandbox changed; token=hunter2222\n");
        Write("logs/etcd.log", "password=cut-off\n" + new string('x', Vm.Support.SupportBundle.MostBytes) + "\nthe end\n");

        var result = await _harness.RunAsync(Harness.Dummy, ["support-bundle", "--name", "running", "-o", "out.tar.gz"], environment: e => e["DUMMY_LOGS"] = Path.Combine(_harness.Home, "logs"));

        result.ExitCode.ShouldBe(0, result.Error);
        var files = Read("out.tar.gz");
        files["out/guest/kubelet.log"].ShouldBe("the pod sandbox changed; token=[redacted]\n");
        files["out/guest/etcd.log"].ShouldBe("the end\n");
    }

    [Fact]
    public async Task A_guest_that_does_not_answer_keeps_nothing_else_from_being_there()
    {
        var result = await _harness.RunAsync(Harness.Dummy, ["support-bundle", "--name", "running", "-o", "out.tar.gz"], environment: e => e["DUMMY_LOGS"] = Path.Combine(_harness.Home, "none"));

        result.ExitCode.ShouldBe(0, result.Error);
        Read("out.tar.gz").Keys.ShouldContain("out/host/doctor.json");
    }

    /// <summary>Something that no other text has in it.</summary>
    private string Secret() => Planted($"zq{_number++:00}Secret{Convert.ToHexString(RandomNumberGenerator.GetBytes(6))}");

    private string Planted(string secret)
    {
        _secrets.Add(secret);
        return secret;
    }

    private string Key(string pem)
    {
        _secrets.AddRange(pem.ReplaceLineEndings("\n").Split('\n').Where(l => l.Length > 8 && !l.StartsWith('-')));
        return pem;
    }

    private Dictionary<string, string> Read(string path)
    {
        var files = new Dictionary<string, string>();
        using var tar = new TarReader(new GZipStream(File.OpenRead(Path.Combine(_harness.Home, path)), CompressionMode.Decompress));
        while (tar.GetNextEntry() is { } entry)
            files[entry.Name] = new StreamReader(entry.DataStream ?? Stream.Null).ReadToEnd();
        return files;
    }

    private string Write(string path, string content)
    {
        var full = Path.Combine(_harness.Home, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        return full;
    }
}

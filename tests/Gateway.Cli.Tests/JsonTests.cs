using System.Text.Json;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary><c>--output json</c>: what programs rely on. Members may be added here, never changed.</summary>
public sealed class JsonTests : IDisposable
{
    private readonly Harness _harness = new();

    [Fact]
    public async Task Status_has_endpoint_processes_and_stage_times()
    {
        var result = await _harness.DummyAsync("status", "--name", "running", "--output", "json");

        result.ExitCode.ShouldBe(0);
        result.Error.ShouldBeEmpty();
        result.Out.ShouldBe(
            """
            {
              "name": "running",
              "phase": "ready",
              "ready": true,
              "endpoint": "https://127.0.0.1:30051",
              "apiServer": "https://127.0.0.1:6443",
              "kubeconfig": "/home/somebody/.kube/gateway.yaml",
              "hypervisor": "qemu",
              "accelerator": "tcg",
              "distribution": "upstream",
              "vcpus": 2,
              "memoryMib": 4096,
              "processes": {
                "supervisor": {
                  "pid": 4711,
                  "startTime": 123456
                },
                "vmm": {
                  "pid": 4712,
                  "startTime": 123457
                }
              },
              "ports": [
                {
                  "protocol": "tcp",
                  "hostAddress": "127.0.0.1",
                  "hostPort": 8080,
                  "guestPort": 80
                }
              ],
              "startedAt": "1970-01-01T00:00:00+00:00",
              "readyAt": "1970-01-01T00:01:11.25+00:00",
              "readySeconds": 71.25,
              "stages": [
                {
                  "stage": "host-probe",
                  "state": "completed",
                  "startSeconds": 0,
                  "seconds": 0.12,
                  "detail": "QEMU 10.0.2, tcg"
                },
                {
                  "stage": "services/etcd",
                  "state": "completed",
                  "startSeconds": 9,
                  "seconds": 5.5
                },
                {
                  "stage": "ready",
                  "state": "completed",
                  "startSeconds": 71,
                  "seconds": 0.25
                }
              ]
            }

            """);
    }

    [Fact]
    public async Task List_has_broken_instances_with_what_is_wrong()
    {
        var result = await _harness.DummyAsync("list", "-o", "json");

        using var json = JsonDocument.Parse(result.Out);
        var broken = json.RootElement[1];
        broken.GetProperty("name").GetString().ShouldBe("torn");
        broken.GetProperty("phase").GetString().ShouldBe("broken");
        broken.GetProperty("ready").GetBoolean().ShouldBeFalse();
        broken.GetProperty("fault").EnumerateObject().Select(p => p.Name).ShouldBe(["code", "stage", "what", "remedy", "log"]);
    }

    [Theory]
    [InlineData("image list", "kind key version bytes builtAt current instances folder")]
    [InlineData("image build", "key kernel initramfs root seconds")]
    [InlineData("kernel build", "version key kernel configuration firmware provenance seconds")]
    [InlineData("image verify", "ok bytes verified faults")]
    [InlineData("image prune --dry-run", "dryRun bytes removed kept")]
    [InlineData("setup --dry-run", "ready packages")]
    [InlineData("timeline --name running", "name events")]
    public async Task Every_command_that_shows_something_has_these_members(string line, string members)
    {
        var result = await _harness.DummyAsync([.. line.Split(' '), "--output", "json"]);

        using var json = JsonDocument.Parse(result.Out);
        var shown = json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement[0] : json.RootElement;
        shown.EnumerateObject().Select(p => p.Name).ShouldBe(members.Split(' '));
    }

    [Fact]
    public async Task Doctor_on_this_machine_names_every_check_with_its_finding()
    {
        var result = await _harness.DummyAsync("doctor", "--output", "json");

        using var json = JsonDocument.Parse(result.Out);
        var checks = json.RootElement.GetProperty("checks").EnumerateArray().ToList();
        string[] expected = ["packages", "qemu", "gvproxy", "kvm", "tcg", "memory", "cache", "instances", "sockets", "images", "port 30051", "instance running"];
        expected.ShouldBeSubsetOf(checks.Select(c => c.GetProperty("name").GetString()!));
        checks.ShouldAllBe(c => c.GetProperty("finding").GetString()!.Length > 0);
        (result.ExitCode == 0).ShouldBe(json.RootElement.GetProperty("ok").GetBoolean());
    }

    public void Dispose() => _harness.Dispose();
}

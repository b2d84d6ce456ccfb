using System.Collections;
using System.Reflection;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

public sealed class StatusReaderTests
{
    private static readonly InstanceStatus Full = new()
    {
        Name = "test",
        Phase = InstancePhase.Failed,
        Endpoint = "https://127.0.0.1:30051",
        ApiServer = "https://127.0.0.1:6443",
        Kubeconfig = "/home/ä/.kube/gateway.yaml",
        Hypervisor = "qemu",
        Accelerator = "tcg",
        Distribution = "upstream",
        DistributionVersion = "Kubernetes 1.20.2",
        Bundle = "sha256:1",
        CloneOf = "other",
        Vcpus = 2,
        MemoryMib = 4096,
        Processes = new Dictionary<string, ProcessIdentity> { ["supervisor"] = new(12, long.MaxValue, "01234567-89ab-cdef-0123-456789abcdef"), ["vmm"] = new(13, 1) },
        Ports = [new PortForward { Protocol = PortProtocol.Udp, HostAddress = "::1", HostPort = 5353, GuestPort = 53, HostSocket = "/run/x.sock" }],
        Mounts = [new HostMount { HostPath = "/a", GuestPath = "/b", ReadOnly = true }],
        Disks = [new DiskSpace(DiskSpace.Guest, "/var", 1L << 40, 5, NearlyFull: true)],
        Restarts = 3,
        StartedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(2)),
        ReadyAt = new DateTimeOffset(2026, 1, 2, 3, 5, 5, TimeSpan.Zero),
        Stages = [new StageTime("init/disk", TimeSpan.FromSeconds(0.132319), TimeSpan.FromSeconds(2), StageState.Skipped, "a\n\"b\" 'c' -> ✓"), new StageTime("vmm", TimeSpan.Zero, null, StageState.Started, null)],
        Fault = new Fault { Code = "a.b", Stage = "init", What = "It broke.", Remedy = "Mend it.", Log = "/x", IsUsage = true },
    };

    public static TheoryData<string> Phases => [.. Enum.GetNames<InstancePhase>()];

    [Fact]
    public void The_status_of_this_test_says_something_everywhere()
    {
        // What is not set here would not be missed by the next test: a property that is added later is to be added to both.
        Unset(Full, nameof(Full)).ShouldBeEmpty();
    }

    [Fact]
    public void What_is_read_is_what_the_generated_reader_reads()
    {
        Same(JsonSerializer.Serialize(Full, InstanceJson.Default.InstanceStatus));
        Same("""{"name": "test", "phase": "Stopped"}""");
        Same("""{"name": "test", "phase": "Stopped", "later": {"a": [1]}, "endpoint": null, "ports": null, "processes": null, "stages": [], "vcpus": null, "startedAt": null, "fault": null}""");
        Same("""{"name": "test", "phase": "Ready", "ports": [{"hostPort": 1, "guestPort": 2}], "mounts": [{"hostPath": "/a", "guestPath": "/b"}]}""");
        StatusReader.Status("null"u8.ToArray()).ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(Phases))]
    public void Every_phase_is_read(string phase) => StatusReader.Status(Bytes($$"""{"name": "a", "phase": "{{phase}}"}"""))!.Phase.ToString().ShouldBe(phase);

    [Fact]
    public void Every_protocol_and_state_is_read()
    {
        foreach (var protocol in Enum.GetValues<PortProtocol>())
            Same(JsonSerializer.Serialize(Full with { Ports = [new PortForward { Protocol = protocol, HostPort = 1, GuestPort = 2 }] }, InstanceJson.Default.InstanceStatus));
        foreach (var state in Enum.GetValues<StageState>())
            Same(JsonSerializer.Serialize(Full with { Stages = [new StageTime("a", default, null, state, null)] }, InstanceJson.Default.InstanceStatus));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("1")]
    [InlineData("""{"name": "test"}""")]
    [InlineData("""{"name": "test", "phase": "Sleeping"}""")]
    [InlineData("""{"name": "test", "phase": 2.5}""")]
    [InlineData("""{"name": 5, "phase": "Ready"}""")]
    [InlineData("""{"name": "test", "phase": "Ready", "vcpus": "two"}""")]
    [InlineData("""{"name": "test", "phase": "Ready", "vcpus": 5000000000}""")]
    [InlineData("""{"name": "test", "phase": "Ready", "ports": {}}""")]
    [InlineData("""{"name": "test", "phase": "Ready", "ports": [1]}""")]
    [InlineData("""{"name": "test", "phase": "Ready", "processes": {"vmm": null}}""")]
    [InlineData("""{"name": "test", "phase": "Ready", "startedAt": "yesterday"}""")]
    [InlineData("""{"name": "test", "phase": "Ready", "fault": {"code": "a"}}""")]
    public void What_is_no_status_is_refused(string content) => Should.Throw<JsonException>(() => StatusReader.Status(Bytes(content)));

    [Fact]
    public void The_holder_of_a_lock_is_read()
    {
        var holder = new LockHolder(new ProcessIdentity(12, 345678901234), Guid.NewGuid());

        foreach (var each in (LockHolder[])[holder, holder with { Purpose = "disk compact" }, holder with { Process = new ProcessIdentity(12, 3, "a boot") }])
            StatusReader.Holder(JsonSerializer.SerializeToUtf8Bytes(each, InstanceJsonLines.Default.LockHolder)).ShouldBe(each);
        Should.Throw<JsonException>(() => StatusReader.Holder("""{"nonce": "x"}"""u8.ToArray()));
    }

    [Fact]
    public async Task A_configuration_that_was_damaged_after_the_last_status_is_told()
    {
        using var folder = new TestFolder();
        var files = folder.Instance("test");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test" });
        InstanceStore.WriteStatus(files, new InstanceStatus { Name = "test", Phase = InstancePhase.Stopped });
        var instances = new LocalInstances(new InstancesOptions { Directories = folder.Directories });
        File.SetLastWriteTimeUtc(files.Config, File.GetLastWriteTimeUtc(files.Status).AddSeconds(-1));
        InstanceStore.IsOlderThanStatus(files, "test").ShouldBeTrue();
        (await instances.FindAsync("test", TestContext.Current.CancellationToken)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);

        await File.WriteAllTextAsync(files.Config, File.ReadAllText(files.Config).Replace("\"mode\": \"", "\"mode\": \"no", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(files.Config, File.GetLastWriteTimeUtc(files.Status).AddSeconds(1));

        var broken = (await instances.FindAsync("test", TestContext.Current.CancellationToken)).ShouldNotBeNull();
        broken.Phase.ShouldBe(InstancePhase.Broken);
        broken.Fault.ShouldNotBeNull().What.ShouldContain("config.json");
    }

    private static void Same(string content) =>
        JsonSerializer.Serialize(StatusReader.Status(Bytes(content))!, InstanceJson.Default.InstanceStatus)
            .ShouldBe(JsonSerializer.Serialize(JsonSerializer.Deserialize(content, InstanceJson.Default.InstanceStatus)!, InstanceJson.Default.InstanceStatus));

    private static byte[] Bytes(string content) => Encoding.UTF8.GetBytes(content);

    // Properties, of it and of what is in it, that have the value that they would have if nobody had set them.
    private static IEnumerable<string> Unset(object value, string path)
    {
        foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var found = property.GetValue(value);
            var name = $"{path}.{property.Name}";
            if (found is null || (property.PropertyType.IsValueType && found.Equals(Activator.CreateInstance(property.PropertyType))))
            {
                yield return name;
            }
            else if (found is IEnumerable list and not string)
            {
                var first = list.Cast<object>().FirstOrDefault();
                foreach (var inner in first is null ? [name] : first is KeyValuePair<string, ProcessIdentity> pair ? Unset(pair.Value, name) : Unset(first, name))
                    yield return inner;
            }
            else if (found.GetType().Assembly == typeof(InstanceStatus).Assembly && !found.GetType().IsEnum)
            {
                foreach (var inner in Unset(found, name))
                    yield return inner;
            }
        }
    }
}

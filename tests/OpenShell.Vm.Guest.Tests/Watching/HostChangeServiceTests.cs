using System.Text.Json;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.Tests.Services;
using OpenShell.Vm.Guest.Watching;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Tests.Watching;

/// <summary>Services here are real processes; only the clock is not set.</summary>
public sealed class HostChangeServiceTests : IDisposable
{
    private const long Second = 1_000_000_000;

    private readonly TemporaryFolder _folder = new();
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
    private readonly ServiceManager _services;
    private readonly List<long> _set = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public HostChangeServiceTests() => _services = new ServiceManager(new ServiceContext
    {
        Launcher = new ProcessLauncher(_reaper),
        Reporter = new RecordingReporter(),
        Board = new ConditionBoard(),
        Probe = new HealthProbe(),
        Logs = _folder.File("logs"),
        Cgroups = false,
    });

    public void Dispose()
    {
        _services.Dispose();
        _reaper.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_clock_is_set_and_by_how_much_it_was_wrong_is_told()
    {
        var then = DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(1000);
        var reply = await AskAsync(new HostChange { HostTimeUnixNanoseconds = 1007 * Second }, new FixedTime(then));
        _set.ShouldBe([1007 * Second]);
        reply.ClockOffsetNanoseconds.ShouldBe(7 * Second);
        reply.Told.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_clock_that_is_only_compared_is_left_as_it_is()
    {
        var then = DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(1000);
        var reply = await AskAsync(new HostChange { HostTimeUnixNanoseconds = 1007 * Second, OnlyCompares = true }, new FixedTime(then));
        _set.ShouldBeEmpty();
        reply.ClockOffsetNanoseconds.ShouldBe(7 * Second);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_change_of_the_network_is_told_to_those_that_are_there_each_by_its_signal()
    {
        Service[] services = [Shell("dhcp", "USR1"), Shell("dns", "HUP"), Shell("another", "HUP")];
        _services.Start(services);
        await _services.HealthyAsync(Token);
        foreach (var service in services)
            await UntilAsync(() => File.Exists(_folder.File(service.Name + ".up")));
        var reply = await AskAsync(new HostChange { Network = true }, TimeProvider.System);
        _set.ShouldBeEmpty();
        reply.ClockOffsetNanoseconds.ShouldBeNull();
        reply.Told.ShouldBe(["dhcp", "dns"]);
        await UntilAsync(() => File.Exists(_folder.File("dhcp.told")) && File.Exists(_folder.File("dns.told")));
        File.Exists(_folder.File("another.told")).ShouldBeFalse();
        await _services.StopAsync(0, 100);
    }

    [Fact]
    public async Task Without_a_cluster_there_is_nobody_to_tell()
    {
        var service = new HostChangeService(() => null, TimeProvider.System, _set.Add);
        var reply = JsonSerializer.Deserialize(await service.AnswerAsync("""{"network":true}"""u8.ToArray(), Token), ProtocolJson.Default.HostChangeReply)!;
        reply.Told.ShouldBeEmpty();
    }

    [Fact]
    public void A_disk_counts_only_where_something_is_mounted()
    {
        const string Mounts = "25 1 254:16 / / rw - ext4 /dev/vda rw\n30 25 0:20 / /tmp rw - tmpfs tmpfs rw\n";
        DiskUsageService.Read(Mounts, "/var/lib/openshell").ShouldBeEmpty();
        var disk = DiskUsageService.Read(Mounts, "/tmp").ShouldHaveSingleItem();
        disk.Path.ShouldBe("/tmp");
        disk.TotalBytes.ShouldBeGreaterThan(0);
        disk.FreeBytes.ShouldBeInRange(0, disk.TotalBytes);
    }

    private async Task<HostChangeReply> AskAsync(HostChange change, TimeProvider time)
    {
        var service = new HostChangeService(() => _services, time, _set.Add);
        var reply = await service.AnswerAsync(JsonSerializer.SerializeToUtf8Bytes(change, ProtocolJson.Default.HostChange), Token);
        return JsonSerializer.Deserialize(reply, ProtocolJson.Default.HostChangeReply)!;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(10, Token);
    }

    private Service Shell(string name, string signal) => new()
    {
        Name = name,
        Command = ["/bin/sh", "-c", $"trap 'touch {_folder.File(name + ".told")}' {signal}; touch {_folder.File(name + ".up")}; while :; do sleep 0.05; done"],
        StopOrder = 1,
        StopPatience = TimeSpan.FromMilliseconds(200),
    };

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}

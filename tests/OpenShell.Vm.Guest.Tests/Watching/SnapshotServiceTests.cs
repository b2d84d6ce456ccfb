using System.Text.Json;
using OpenShell.Tests.Timing;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Watching;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Tests.Watching;

/// <summary>What the guest does for a save, and how long its services stand still for it.</summary>
public sealed class SnapshotServiceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<bool> _held = [];
    private readonly ManualTime _time = new();
    private readonly ServiceHold _hold;

    public SnapshotServiceTests() => _hold = new ServiceHold(
        held =>
        {
            _held.Add(held);
            return Task.CompletedTask;
        },
        _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _hold.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Caches_are_given_up_and_what_is_free_is_measured()
    {
        var service = SnapshotOfSmallMachine();
        Directory.CreateDirectory(_folder.File("proc/sys/vm"));
        File.WriteAllText(_folder.File("proc/meminfo"), "MemTotal:        4096 kB\nMemFree:         1024 kB\nMemAvailable:    2048 kB\n");

        var prepared = JsonSerializer.Deserialize(await service.AnswerAsync("""{"reclaim":true}"""u8.ToArray(), Token), ProtocolJson.Default.SnapshotPrepared)!;

        (prepared.TotalBytes, prepared.FreeBytes, prepared.Problems.Count).ShouldBe((4096 << 10, 1024 << 10, 0));
        File.ReadAllText(_folder.File("proc/sys/vm/drop_caches")).ShouldBe("3");
        File.ReadAllText(_folder.File("proc/sys/vm/compact_memory")).ShouldBe("1");
        _held.ShouldBe([true]);
    }

    [Fact]
    public async Task Services_stand_still_from_before_the_save_until_the_host_says_that_it_is_over()
    {
        var service = SnapshotOfSmallMachine();

        await service.AnswerAsync("{}"u8.ToArray(), Token);
        _time.Advance(ServiceHold.Limit - TimeSpan.FromSeconds(1));
        _held.ShouldBe([true]);
        await service.LetGoAsync(default, Token);
        _held.ShouldBe([true, false]);

        // The limit of a hold that is over says nothing more.
        _time.Advance(ServiceHold.Limit);
        _held.ShouldBe([true, false]);
    }

    [Fact]
    public async Task Services_go_on_by_themselves_where_no_host_says_so_and_where_preparing_fails()
    {
        var service = SnapshotOfSmallMachine();
        await service.AnswerAsync("{}"u8.ToArray(), Token);
        _time.Advance(ServiceHold.Limit);
        _held.ShouldBe([true, false]);

        File.Delete(_folder.File("proc/meminfo"));
        await Should.ThrowAsync<MuxStreamException>(() => service.AnswerAsync("{}"u8.ToArray(), Token));
        _time.Advance(ServiceHold.Limit);
        _held.ShouldBe([true, false, true, false]);
    }

    [Fact]
    public async Task A_kernel_that_cannot_compact_is_a_problem_and_no_failure_and_without_reclaim_nothing_is_given_up()
    {
        var service = SnapshotOfSmallMachine();

        JsonSerializer.Deserialize(await service.AnswerAsync("{}"u8.ToArray(), Token), ProtocolJson.Default.SnapshotPrepared)!.Problems.ShouldBeEmpty();
        JsonSerializer.Deserialize(await service.AnswerAsync("""{"reclaim":true}"""u8.ToArray(), Token), ProtocolJson.Default.SnapshotPrepared)!.Problems.Count.ShouldBe(2);
    }

    /// <summary>Of a machine whose kernel can give up nothing.</summary>
    private SnapshotService SnapshotOfSmallMachine()
    {
        Directory.CreateDirectory(_folder.File("proc"));
        File.WriteAllText(_folder.File("proc/meminfo"), "MemTotal: 4 kB\nMemFree: 1 kB\n");
        return new SnapshotService(new ResumeService(() => null, () => null, new ResumedMachine(), new InstanceFiles(new CredentialPlaces(_folder.Path, gatewayGroup: 0)), _hold), new MemoryReclaim(_folder.File("proc")), _hold);
    }
}

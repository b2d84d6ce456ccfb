using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Damage;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Events;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>A suspended instance to whose disk, host or start its memory does not fit any more, or whose memory is damaged.</summary>
[Collection(SuspendedMemories.Name)]
public sealed class RefusedMemoryTests(SuspendedFixture suspended) : IAsyncLifetime
{
    private readonly TestHome _home = new();
    private SuspendedCopy? _copy;

    private SuspendedCopy Copy => _copy!;

    public async ValueTask InitializeAsync()
    {
        await suspended.RequireAsync();
        _copy = await suspended.CopyAsync(_home);
    }

    public async ValueTask DisposeAsync()
    {
        if (_copy is not null)
            await _copy.StopAsync();
        _home.Dispose();
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_with_the_reason_and_kept_and_what_fits_is_gone_on_from()
    {
        foreach (var damage in Enum.GetValues<MemoryDamage>())
        {
            await IsRefusedAsync(await damage.DoAsync(Copy));
            Copy.Undo();
        }

        await Copy.ResumeAsync();
    }

    [Theory]
    [InlineData(MemoryDamage.CutOff)]
    [InlineData(MemoryDamage.OtherQemu)]
    [InlineData(MemoryDamage.OtherArgument)]
    [InlineData(MemoryDamage.OtherProcessor)]
    [InlineData(MemoryDamage.OlderThanDisk)]
    [InlineData(MemoryDamage.FlippedBit)]
    [InlineData(MemoryDamage.NotLoadable)]
    public async Task Its_instance_starts_from_its_disk_says_why_and_leaves_nothing_of_it(MemoryDamage damage)
    {
        if (damage is not (MemoryDamage.CutOff or MemoryDamage.OtherQemu))
            Requirements.SkipUnlessFull("each of them boots, which takes a minute: './test --full' tries all");
        var damaged = await damage.DoAsync(Copy);
        await IsRefusedAsync(damaged);

        var up = await Copy.UpAsync(damaged.Options);
        up.OrFail();
        up.Err.ShouldContain(damaged.Reason);
        var status = await Copy.StatusAsync();
        (status.GetProperty("phase").GetString(), CopyChecks.Stage(status, "kernel"), CopyChecks.Stage(status, "resume")).ShouldBe(("ready", "completed", "skipped"));
        (await TimelineAsync()).ShouldContain(happened => happened.Stage == "resume" && happened.Detail.Contains(damaged.Reason, StringComparison.Ordinal));
        (await new InstanceEvents(Copy.Gateway, SuspendedCopy.Name).NextAsync(EventNames.ResumeFailed, 0)).ShouldContain(damaged.Reason);
        (await Copy.InGuestAsync($"cat {SuspendedCopy.OnDisk}")).Trim().ShouldBe("later");
        (await Copy.InGuestAsync($"test -e {SuspendedCopy.InMemory} || echo forgotten")).Trim().ShouldBe("forgotten");

        // Neither the memory nor what it lay over, nor half of either.
        Directory.EnumerateFileSystemEntries(Copy.Files.Root, "memory*").ShouldBeEmpty();
        (await Copy.Gateway.RunAsync("stop", "--name", SuspendedCopy.Name, "--force")).OrFail();
        Leftovers.Of(_home).ShouldBeEmpty();
        (await Copy.Gateway.RunAsync("delete", "--name", SuspendedCopy.Name)).OrFail();
        Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(Copy.Files.Root)!).ShouldBeEmpty();
    }

    /// <summary>By a start that is not to boot.</summary>
    private async Task IsRefusedAsync(Damaged damaged)
    {
        var before = Copy.Contents();
        var up = await Copy.UpAsync([.. damaged.Options, "--start", "resume"]);
        up.ExitCode.ShouldBe(1, up.ToString());
        up.Err.ShouldContain(damaged.ReasonOfRefusal);
        up.Err.ShouldContain("remedy:");
        Copy.Contents().ShouldBe(before);
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    private async Task<IEnumerable<(string? Stage, string Detail)>> TimelineAsync() =>
        JsonSerializer.Deserialize<JsonElement>((await Copy.Gateway.RunAsync("timeline", "--name", SuspendedCopy.Name, "--output", "json")).OrFail()).GetProperty("events").EnumerateArray()
            .Select(happened => (happened.GetProperty("stage").GetString(), happened.TryGetProperty("detail", out var detail) ? detail.GetString() ?? "" : ""));
}

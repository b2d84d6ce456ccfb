using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>A bake that is killed leaves no image that anybody would use, no machine, and nothing that the next bake or <c>prune</c> does not remove.</summary>
public sealed class KilledBakeTests : IAsyncLifetime
{
    /// <summary>Not the other tests' image, which must stay.</summary>
    private static readonly string[] Shape = ["--distribution", "upstream", "--vcpus", "2", "--mem", "2900m"];

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    private readonly TestHome _home = new(golden: true);

    private CacheLayout Layout => new(_home.Directories.Cache);

    private GatewayCli Gateway => new(_home);

    public async ValueTask InitializeAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnlessFull("it boots three clusters: './test --full' does");
    }

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Whenever_it_is_killed_there_is_no_image_and_the_next_bake_makes_one()
    {
        var before = Images();

        // While the machine boots, when its memory is full and what is saved is written, and for the last time to its end.
        await KillAsync("its machine runs", building => Directory.Exists(building) && Memories().Any(memory => HostFiles.AllocatedBytes(memory) > 64 << 20));
        Images().ShouldBe(before);
        await ResumeIsRefusedAsync();

        await KillAsync("its devices are saved", building => File.Exists(Path.Combine(building, "image", GoldenFiles.DevicesName)));
        Images().ShouldBe(before);
        await ResumeIsRefusedAsync();

        // What it left takes memory: prune gives it back.
        (await Gateway.RunAsync("image", "prune")).OrFail();
        Memories().ShouldBeEmpty();
        Directory.EnumerateDirectories(Layout.Building, "golden-*").ShouldBeEmpty();

        (await Gateway.StartAsync(["image", "bake", .. Shape])).OrFail();
        var made = Images().Except(before).ShouldHaveSingleItem();
        try
        {
            (await Gateway.StartAsync(["up", "--detach", "--name", "whole", "--start", "resume", .. Shape])).OrFail();
            (await Gateway.RunAsync("stop", "--name", "whole", "--force")).OrFail();
            (await Gateway.RunAsync("delete", "--name", "whole")).OrFail();
        }
        finally
        {
            HostFiles.DeleteFolder(Path.Combine(Layout.Golden, made));
        }

        Memories().ShouldBeEmpty();
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    private async Task KillAsync(string when, Func<string, bool> holds)
    {
        using var bake = Gateway.Start(["image", "bake", "--timeout", "20m", .. Shape]);
        var end = HostProgram.EndAsync(bake, Limit);
        await Eventually.HoldsAsync(when, () => Task.FromResult(end.IsCompleted || Directory.EnumerateDirectories(Layout.Building, "golden-*").Any(holds)), Limit);
        end.IsCompleted.ShouldBeFalse(end.IsCompleted ? (await end).ToString() : "");
        bake.Kill();
        await end;

        // Its machine's end follows.
        await Eventually.HoldsAsync("nothing of it runs", () => Task.FromResult(!Machines().Any()), TimeSpan.FromMinutes(1));
    }

    private async Task ResumeIsRefusedAsync()
    {
        var up = await Gateway.RunAsync(["up", "--detach", "--name", "none", "--start", "resume", .. Shape]);
        (up.ExitCode, up.Err.Contains("nothing to go on from", StringComparison.Ordinal)).ShouldBe((1, true), up.ToString());
        await Gateway.RunAsync("delete", "--name", "none");
    }

    private string[] Images() => Directory.Exists(Layout.Golden) ? [.. Directory.EnumerateDirectories(Layout.Golden).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)] : [];

    private IEnumerable<string> Memories() => new MemoryPlace(_home.Directories.Cache).Existing().Select(memory => memory.Path);

    /// <summary>Machines that have the folder of a bake in their command line.</summary>
    private IEnumerable<string> Machines() => Directory.EnumerateDirectories("/proc").Where(folder => Path.GetFileName(folder).All(char.IsAsciiDigit)).Where(folder =>
    {
        try
        {
            var line = File.ReadAllText(Path.Combine(folder, "cmdline"));
            return line.Contains("qemu-system", StringComparison.Ordinal) && line.Contains(Layout.Building, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    });
}

using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Usage;

/// <summary>
/// Hosts on which something is wrong. Each is made in a mount namespace of its own (unshare), so that the real host stays as it is and root
/// meets the same walls as everybody else.
/// </summary>
public sealed class BadHostTests : IAsyncLifetime
{
    private readonly TestHome _home = new();

    public async ValueTask InitializeAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("unshare", "util-linux");
        if ((await HostProgram.RunAsync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", _home.Home], GatewayCli.Short)).ExitCode != 0)
            Assert.Skip("this system lets nobody have a mount namespace (unshare -rm)");
    }

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task No_QEMU_is_said_with_how_to_get_it()
    {
        var run = await InAsync("for f in $(which -a qemu-system-x86_64 qemu-system-aarch64); do mount --bind /dev/null $f; done", "--exec", "/bin/true");

        Told(run, "QEMU", "gateway setup");
    }

    [Fact]
    public async Task A_full_disk_is_said_with_its_folder()
    {
        var run = await InAsync($"mount -t tmpfs -o size=64k tmpfs '{_home.Data}'", "up", "--detach", "--name", "full");

        Told(run, _home.Data, "space");
    }

    [Fact]
    public async Task A_HOME_that_cannot_be_written_is_said()
    {
        var run = await InAsync($"mount --bind '{_home.Home}' '{_home.Home}'; mount -o remount,bind,ro '{_home.Home}'; unset XDG_DATA_HOME XDG_CONFIG_HOME", "up", "--detach", "--name", "homeless");

        Told(run, _home.Home, "");
    }

    [Fact]
    public async Task A_cache_that_can_only_be_read_is_said_and_not_waited_for()
    {
        var cache = Path.Combine(_home.Root, "cache", "openshell-vm");
        Directory.CreateDirectory(Path.Combine(cache, "guards"));
        await File.WriteAllTextAsync(Path.Combine(cache, "guards", "resolve"), "", TestContext.Current.CancellationToken);

        var run = await InAsync($"export XDG_CACHE_HOME='{Path.GetDirectoryName(cache)}'; mount --bind '{cache}' '{cache}'; mount -o remount,bind,ro '{cache}'", "image", "build");

        Told(run, cache, "write");

        // Of builds of an hour, which is what is waited for where another process has it.
        run.Elapsed.ShouldBeLessThan(GatewayCli.Short);
    }

    [Theory]
    [InlineData("kernel")]
    [InlineData("initramfs")]
    public async Task A_corrupt_artifact_is_named_and_not_used(string artifact)
    {
        (await new GatewayCli(_home).StartAsync("--exec", "/bin/true")).OrFail();
        using var plan = JsonDocument.Parse((await new GatewayCli(_home).RunAsync("plan", "--exec", "/bin/true", "--output", "json")).OrFail());
        var file = plan.RootElement.GetProperty("plan").GetProperty(artifact).GetString()!;

        // A copy of the cache, in which one byte of this file is another.
        var cache = Path.Combine(_home.Environment["XDG_CACHE_HOME"]!, "openshell-vm");
        var copy = Path.Combine(_home.Root, "cache", "openshell-vm");
        var copied = Path.Combine(copy, Path.GetRelativePath(cache, file));
        var run = await InAsync(
            $"""
            mkdir -p '{copy}'
            cp -a --reflink=auto '{cache}/locks' '{cache}/artifacts' '{copy}/'
            chmod u+w '{copied}'
            printf x | dd of='{copied}' bs=1 seek=4096 conv=notrunc status=none
            export XDG_CACHE_HOME='{Path.GetDirectoryName(copy)}'
            """,
            "--exec", "/bin/true");

        Told(run, copied, "gateway image build");
    }

    private static void Told(Finished run, string named, string remedy)
    {
        run.ExitCode.ShouldBe(1, run.ToString());
        run.Err.ShouldContain(named, Case.Insensitive, run.ToString());
        run.Err.ShouldContain("remedy:");
        run.Err.ShouldContain(remedy, Case.Insensitive, run.ToString());
        run.Err.ShouldNotContain("   at ");
        run.Out.ShouldBeEmpty();
    }

    private Task<Finished> InAsync(string script, params string[] arguments) =>
        HostProgram.RunAsync("unshare", ["-rm", "sh", "-ec", script + "\nexec \"$@\"", "sh", GatewayCli.Program, .. arguments], GatewayCli.Long, _home.Environment);
}

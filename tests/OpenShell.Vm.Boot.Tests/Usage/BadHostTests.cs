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

        Told(run, "QEMU", "apt-get install");
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

    [Theory]
    [InlineData("kernel", "vmlinuz")]
    [InlineData("initramfs", "initramfs.cpio")]
    public async Task A_corrupt_artifact_is_named_and_not_used(string kind, string file)
    {
        // A copy of the cache that shares all files with the real one but this.
        var cache = Path.Combine(_home.Environment["XDG_CACHE_HOME"]!, "openshell-vm");
        if (!Directory.Exists(Path.Combine(cache, "artifacts", kind)))
            Assert.Skip("no image is cached yet");
        var copy = Path.Combine(_home.Root, "cache");
        var script = $"""
            mkdir -p '{copy}/openshell-vm'
            cp -a --reflink=auto '{cache}/locks' '{cache}/artifacts' '{copy}/openshell-vm/'
            for f in '{copy}'/openshell-vm/artifacts/{kind}/*/{file}; do chmod u+w "$f"; printf x | dd of="$f" bs=1 seek=4096 conv=notrunc status=none; done
            export XDG_CACHE_HOME='{copy}'
            """;

        var run = await InAsync(script, "--exec", "/bin/true");

        Told(run, file, "gateway image build");
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

using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Damage;

/// <summary>Folders of the environment that are missing, too long or not to be written to; the real command in a mount namespace of its own, so that root meets the same walls as everybody else.</summary>
public sealed class DamagedPlacesTests : IAsyncLifetime
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

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

    [Theory]
    [InlineData("up", "--detach", "--name", "far")]
    [InlineData("--exec", "/bin/true")]
    public async Task A_runtime_folder_whose_sockets_would_have_too_long_a_path_is_said_with_the_variable(params string[] arguments)
    {
        var run = await InAsync($"export XDG_RUNTIME_DIR='{_home.Runtime}/{new string('x', 90)}'", arguments);
        run.ExitCode.ShouldBe(2, run.ToString());
        run.Err.ShouldContain("bytes; the system allows 107");
        run.Err.ShouldContain("Set XDG_RUNTIME_DIR");
        run.Err.ShouldNotContain("   at ");
        Directory.Exists(Path.Combine(_home.Data, "openshell-vm")).ShouldBeFalse();
    }

    [Fact]
    public async Task Instances_are_listed_all_the_same()
    {
        Directory.CreateDirectory(Path.Combine(_home.Data, "openshell-vm", "instances", "far"));
        var run = await InAsync($"export XDG_RUNTIME_DIR='{_home.Runtime}/{new string('x', 90)}'", "list");
        run.OrFail().ShouldContain("far");
        run.Out.ShouldContain("broken");
    }

    [Theory]
    [InlineData("unset XDG_RUNTIME_DIR")]
    [InlineData("export XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR/not/there/yet")]
    [InlineData("export XDG_RUNTIME_DIR=relative")]
    public async Task Without_a_runtime_folder_a_private_one_is_made(string script)
    {
        // A temporary folder of its own, since that is where it goes without the variable.
        var run = await InAsync($"mkdir -p '{_home.Root}/t'; export TMPDIR='{_home.Root}/t'; {script}", "--exec", "/bin/echo", "--args", "it runs");
        run.OrFail().ShouldBe("it runs\n");
        Leftovers.Of(_home).ShouldBeEmpty();

        // What can be made where the variable says is made there; otherwise in the temporary folder.
        var folders = new[] { Path.Combine(_home.Root, "t"), Path.Combine(_home.Runtime, "not") }.Where(Directory.Exists).SelectMany(folder => Directory.EnumerateDirectories(folder, "openshell-vm*", SearchOption.AllDirectories)).ToList();
        folders.ShouldNotBeEmpty();
        folders.ShouldAllBe(folder => (File.GetUnixFileMode(folder) & ~OwnerOnly) == UnixFileMode.None);
        folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_runtime_folder_that_cannot_be_written_is_said()
    {
        var run = await InAsync($"mount --bind '{_home.Runtime}' '{_home.Runtime}'; mount -o remount,bind,ro '{_home.Runtime}'", "--exec", "/bin/true");
        run.ExitCode.ShouldBe(1, run.ToString());
        run.Err.ShouldContain(_home.Runtime);
        run.Err.ShouldContain("XDG_RUNTIME_DIR");
        run.Err.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task An_instance_on_a_file_system_that_has_become_read_only_is_listed_and_its_start_says_why()
    {
        var data = Path.Combine(_home.Data, "openshell-vm");
        var folder = Path.Combine(data, "instances", "kept");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "config.json"), """{"format": 2, "name": "kept", "mode": "cluster", "memoryMib": 2048}""", TestContext.Current.CancellationToken);
        var readOnly = $"mount --bind '{data}' '{data}'; mount -o remount,bind,ro '{data}'";
        (await InAsync(readOnly, "list")).OrFail().ShouldContain("kept");
        foreach (var arguments in (string[][])[["up", "--detach", "--name", "kept"], ["reset", "--name", "kept"], ["delete", "--name", "kept"]])
        {
            var run = await InAsync(readOnly, arguments);
            run.ExitCode.ShouldBe(1, run.ToString());
            run.Err.ShouldContain(folder);
            run.Err.ShouldContain("remedy:");
            run.Err.ShouldNotContain("   at ");
        }

        (await new GatewayCli(_home).RunAsync("delete", "--name", "kept")).OrFail();
    }

    private Task<Finished> InAsync(string script, params string[] arguments) =>
        HostProgram.RunAsync("unshare", ["-rm", "sh", "-ec", script + "\nexec \"$@\"", "sh", GatewayCli.Program, .. arguments], GatewayCli.Long, _home.Environment);
}

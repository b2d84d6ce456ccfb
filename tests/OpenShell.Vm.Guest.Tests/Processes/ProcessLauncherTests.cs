using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Tests.Processes;

public sealed class ProcessLauncherTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("openshell-").FullName;
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Log => Path.Combine(_folder, "log");

    public void Dispose()
    {
        _reaper.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact(Timeout = 30_000)]
    public async Task Output_is_appended_to_a_file()
    {
        await File.WriteAllTextAsync(Log, "before\n", Token);

        await RunAsync(Shell("echo out; echo err >&2"));

        (await File.ReadAllTextAsync(Log, Token)).ShouldBe("before\nout\nerr\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Input_is_read_from_a_file()
    {
        var input = Path.Combine(_folder, "input");
        await File.WriteAllTextAsync(input, "abc", Token);

        await RunAsync(Shell("wc -c") with { Stdin = Stdio.ReadFrom(input) });

        (await File.ReadAllTextAsync(Log, Token)).ShouldBe("3\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_environment_is_exactly_the_one_given()
    {
        await RunAsync(new SpawnSpec { Program = "/usr/bin/env", Environment = ["A=1", "B="], Stdout = Stdio.AppendTo(Log) });

        (await File.ReadAllTextAsync(Log, Token)).ShouldBe("A=1\nB=\n");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_child_leads_a_group_of_its_own_and_a_session_only_when_asked(bool newSession)
    {
        // pid, process group and session are fields 1, 5 and 6 of stat.
        await RunAsync(Shell("read -r pid _ _ _ group session _ < /proc/self/stat; echo $pid $group $session") with { NewSession = newSession });

        var fields = (await File.ReadAllTextAsync(Log, Token)).Trim().Split(' ');
        fields[1].ShouldBe(fields[0]);
        (fields[2] == fields[0]).ShouldBe(newSession);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_working_directory_is_also_where_relative_programs_are_looked_for()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "program"), "#!/bin/sh\npwd\n", Token);
        File.SetUnixFileMode(Path.Combine(_folder, "program"), UnixFileMode.UserRead | UnixFileMode.UserExecute);

        await RunAsync(Shell("") with { Program = "./program", Arguments = [], WorkingDirectory = _folder });

        (await File.ReadAllTextAsync(Log, Token)).ShouldBe(_folder + "\n");
    }

    [Theory]
    [InlineData("no-such-program", "/", 127, "executable file not found in $PATH")]
    [InlineData("/no/such", "/", 127, "no such file or directory")]
    [InlineData("", "/", 127, "not found")]
    [InlineData("/etc/passwd", "/", 126, "permission denied")]
    [InlineData("/etc", "/", 126, "permission denied")]
    [InlineData("true", "/no/such", 126, "chdir to \"/no/such\": no such file or directory")]
    [InlineData("true", "/etc/passwd", 126, "chdir to \"/etc/passwd\"")]
    public void What_does_not_start_says_why_with_the_code_of_a_shell(string program, string directory, int code, string message)
    {
        var error = Should.Throw<SpawnException>(() => new ProcessLauncher(_reaper).Start(new SpawnSpec { Program = program, WorkingDirectory = directory }));

        error.ExitCode.ShouldBe(code);
        error.Message.ShouldContain(message);
    }

    [Fact]
    public void A_file_that_is_no_program_is_126()
    {
        var file = Path.Combine(_folder, "data");
        File.WriteAllText(file, "\u0001\u0002");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Should.Throw<SpawnException>(() => new ProcessLauncher(_reaper).Start(new SpawnSpec { Program = file })).Message.ShouldContain("exec format error");
    }

    [Fact]
    public void A_log_that_cannot_be_opened_is_named() =>
        Should.Throw<SpawnException>(() => new ProcessLauncher(_reaper).Start(new SpawnSpec { Program = "true", Stdout = Stdio.AppendTo("/no/such/log") }))
            .Message.ShouldContain("/no/such/log");

    [Fact]
    public void A_text_with_a_nul_is_refused_not_cut() =>
        Should.Throw<ArgumentException>(() => new ProcessLauncher(_reaper).Start(new SpawnSpec { Program = "true", Arguments = ["a\0b"] }));

    [Fact(Timeout = 30_000)]
    public async Task A_cgroup_that_does_not_exist_starts_nothing()
    {
        // An argument that no other process has.
        var seconds = $"1000.{Random.Shared.NextInt64(1_000_000_000, 10_000_000_000)}";
        var spec = new SpawnSpec { Program = "/bin/sleep", Arguments = [seconds] };
        var without = new ProcessLauncher(_reaper).Start(spec);
        IsRunning(seconds).ShouldBeTrue();
        without.Signal(9);
        await without.Exit.WaitAsync(Token);

        Should.Throw<SpawnException>(() => new ProcessLauncher(_reaper).Start(spec with { Cgroup = "/sys/fs/cgroup/no/such" })).Message.ShouldContain("cgroup");

        IsRunning(seconds).ShouldBeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_child_is_moved_into_its_cgroup()
    {
        var cgroup = $"/sys/fs/cgroup/openshell-test-{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(cgroup);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            Assert.Skip("This user cannot make a cgroup (version 2) on this machine.");
        }
        if (!File.Exists(Path.Combine(cgroup, "cgroup.procs")))
        {
            Directory.Delete(cgroup);
            Assert.Skip("This machine has no cgroup version 2 at /sys/fs/cgroup.");
        }
        try
        {
            await RunAsync(Shell("sleep 0.2; cat /proc/self/cgroup") with { Cgroup = cgroup });
            (await File.ReadAllTextAsync(Log, Token)).ShouldContain(Path.GetFileName(cgroup));
        }
        finally
        {
            Directory.Delete(cgroup);
        }
    }

    private SpawnSpec Shell(string script) => new()
    {
        Program = "/bin/sh",
        Arguments = ["-c", script],
        Stdout = Stdio.AppendTo(Log),
        Stderr = Stdio.AppendTo(Log),
    };

    private static bool IsRunning(string argument) => Directory.EnumerateDirectories("/proc").Any(process =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0').Contains(argument);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is no process.
            return false;
        }
    });

    private async Task RunAsync(SpawnSpec spec) => (await new ProcessLauncher(_reaper).Start(spec).Exit.WaitAsync(Token)).ShouldBe(new ExitStatus(0, 0));
}

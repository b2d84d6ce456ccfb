using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

public sealed class ChildProcessTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private string Log => _folder.File("log");

    public void Dispose() => _folder.Dispose();

    private LaunchSpec Shell(string script) => new() { Title = "sh", Program = "/bin/sh", Arguments = ["-c", script], LogFile = Log };

    [Fact]
    public async Task Its_exit_code_and_its_output_are_kept()
    {
        await using var child = ChildProcess.Start(Shell("echo out; echo err >&2; exit 7"));
        (await child.Exited.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken)).ShouldBe(new ExitReason(7, null));
        File.ReadAllText(Log).ShouldBe("out\nerr\n");
    }

    [Fact]
    public async Task The_signal_that_ended_it_is_told()
    {
        await using var child = ChildProcess.Start(Shell("kill -SEGV $$"));
        var reason = await child.Exited.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        reason.ShouldBe(new ExitReason(null, 11));
        reason.ToString().ShouldBe("was ended by SIGSEGV");
    }

    [Fact]
    public async Task It_inherits_nothing_but_what_is_described()
    {
        Environment.SetEnvironmentVariable("OPENSHELL_TEST_SECRET", "1");
        var spec = Shell("echo $1; env; ls /proc/self/fd | wc -l; ps -o pgid= -p $$ | tr -d ' '") with { Environment = new Dictionary<string, string> { ["A"] = "b c" } };
        await using var child = ChildProcess.Start(spec);
        (await child.Exited.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken)).Code.ShouldBe(0, File.ReadAllText(Log));
        var lines = File.ReadAllLines(Log);
        lines.ShouldContain("A=b c");
        lines.ShouldNotContain(l => l.Contains("OPENSHELL_TEST_SECRET", StringComparison.Ordinal));

        // 0, 1, 2 and the one by which ls reads the folder; and it leads a process group of its own.
        lines[^2].ShouldBe("4");
        lines[^1].ShouldBe(child.Identity.Pid.ToString(CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Huge_pages_are_kept_from_whom_they_are_not_for_and_from_no_other(bool allowed)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux's huge pages, as /proc says it");
        const string Said = "grep THP_enabled /proc/self/status";
        var own = File.ReadAllLines("/proc/self/status").Single(line => line.StartsWith("THP_enabled:", StringComparison.Ordinal));
        await using (var child = ChildProcess.Start(Shell(Said) with { HugePages = allowed }))
            await child.Exited.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        File.ReadAllText(Log).Trim().ShouldBe(allowed ? own : "THP_enabled:\t0");
        File.ReadAllLines("/proc/self/status").ShouldContain(own);
    }

    [Fact]
    public async Task A_confined_one_is_let_to_the_files_that_it_was_given_and_its_parent_to_all()
    {
        Assert.SkipWhen(FileConfinement.SystemVersion == 0, "this kernel has no Landlock");
        File.WriteAllText(_folder.File("secret"), "s");
        File.WriteAllText(_folder.File("given"), "g");
        Directory.CreateDirectory(_folder.File("folder"));
        var spec = Shell($"""
            cd {_folder.Path}
            cat given; cat secret; echo x > secret; echo x > new; rm secret; mv given folder/; mkdir folder/more; cat /etc/hostname > /dev/null && echo names
            """) with
        {
            Confinement = new FileConfinement(["/usr", "/bin", "/lib", "/lib64", "/etc", _folder.File("given")], ["/dev/null"], [_folder.File("folder")]),
        };
        await using var child = ChildProcess.Start(spec);
        await child.Exited.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        child.IsConfined.ShouldBeTrue();
        var said = File.ReadAllText(Log);
        said.ShouldStartWith("g");
        said.ShouldEndWith("names\n");
        said.Split('\n').Count(line => line.Contains("ermission denied", StringComparison.Ordinal)).ShouldBe(6, said);
        Directory.GetFileSystemEntries(_folder.File("folder")).ShouldBeEmpty();
        File.Exists(_folder.File("new")).ShouldBeFalse();

        // The thread that started it is confined with it, and no other: nor those by which the pool grows when its end is told.
        using var all = new CountdownEvent(32);
        var writes = Enumerable.Range(0, all.InitialCount).Select(number => child.Exited.ContinueWith(
            _ =>
            {
                all.Signal();
                all.Wait(TestContext.Current.CancellationToken);
                File.WriteAllText(_folder.File($"written-{number}"), "t");
            },
            TestContext.Current.CancellationToken, TaskContinuationOptions.None, TaskScheduler.Default));
        await Task.WhenAll(writes).WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_program_that_is_not_there_is_a_fault_that_names_it()
    {
        var fault = Should.Throw<FaultException>(() => ChildProcess.Start(Shell("") with { Program = "/does/not/exist" })).Faults[0];
        fault.Code.ShouldBe("process.not-started");
        fault.What.ShouldContain("/does/not/exist");
    }

    [Fact]
    public async Task It_dies_with_a_supervisor_that_is_killed()
    {
        using var supervisor = Dummy.Start("supervise-sleep", "1000", Log);
        var pid = int.Parse(await supervisor.LineAsync(), CultureInfo.InvariantCulture);
        await Eventually.BeTrueAsync(() => Comm(pid) == "sleep", "the child runs");
        var identity = ProcessIdentities.Of(pid).ShouldNotBeNull();
        supervisor.Kill();
        await Eventually.BeTrueAsync(() => !ProcessIdentities.IsAlive(identity), "the child is gone");
    }

    [Fact]
    public async Task It_lives_on_when_the_thread_that_started_it_has_ended()
    {
        ChildProcess? child = null;
        var thread = new Thread(() => child = ChildProcess.Start(Shell("while :; do sleep 0.05; done")));
        thread.Start();
        thread.Join();
        await Eventually.BeTrueAsync(() => Comm(child!.Identity.Pid) == "sh", "the child runs");
        await Task.Delay(200, TestContext.Current.CancellationToken);
        child!.Exited.IsCompleted.ShouldBeFalse();
        await child.DisposeAsync();
    }

    [Fact]
    public async Task The_ladder_stops_at_the_first_rung_that_works()
    {
        await using var child = ChildProcess.Start(Shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done"));
        await Eventually.BeTrueAsync(() => File.Exists(Log) && File.ReadAllText(Log).Contains("up", StringComparison.Ordinal), "it has set its trap");
        var said = new List<string>();
        var (reason, rung) = await ShutdownLadder.DescendAsync(child, [ShutdownLadder.Terminate(child, Eventually.Limit)], said.Add, hurry: TestContext.Current.CancellationToken);
        rung.ShouldBe("SIGTERM");
        reason.Code.ShouldBe(3);
        said[^1].ShouldBe("sh exited with code 3");
    }

    [Fact]
    public async Task What_ignores_SIGTERM_is_killed_after_its_limit()
    {
        await using var child = ChildProcess.Start(Shell("trap '' TERM; echo up; while :; do sleep 0.01; done"));
        await Eventually.BeTrueAsync(() => File.Exists(Log) && File.ReadAllText(Log).Contains("up", StringComparison.Ordinal), "it has set its trap");
        var (reason, rung) = await ShutdownLadder.DescendAsync(child, [ShutdownLadder.Terminate(child, TimeSpan.FromMilliseconds(100))], _ => { }, hurry: TestContext.Current.CancellationToken);
        rung.ShouldBe("SIGKILL");
        reason.Signal.ShouldBe(9);
    }

    [Fact]
    public async Task A_rung_that_fails_or_never_answers_only_leads_to_the_next()
    {
        await using var child = ChildProcess.Start(Shell("exec sleep 1000"));
        var said = new List<string>();
        Rung[] rungs =
        [
            new("broken", _ => throw new IOException("no such socket"), Eventually.Limit),
            new("silent", _ => new TaskCompletionSource().Task, TimeSpan.FromMilliseconds(50)),
            ShutdownLadder.Terminate(child, Eventually.Limit),
        ];
        (await ShutdownLadder.DescendAsync(child, rungs, said.Add, hurry: TestContext.Current.CancellationToken)).Rung.ShouldBe("SIGTERM");
        said.ShouldContain("sh: broken failed: no such socket");
        said.ShouldContain("sh: not ended by silent in time");
    }

    [Fact]
    public async Task Who_is_in_a_hurry_skips_what_needs_patience()
    {
        await using var child = ChildProcess.Start(Shell("exec sleep 1000"));
        using var hurry = new CancellationTokenSource();
        Rung[] rungs = [new("patience", _ => Task.CompletedTask, Timeout.InfiniteTimeSpan, Patient: true), ShutdownLadder.Terminate(child, Eventually.Limit)];
        var descent = ShutdownLadder.DescendAsync(child, rungs, _ => { }, hurry: hurry.Token);
        await hurry.CancelAsync();
        (await descent.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken)).Rung.ShouldBe("SIGTERM");
    }

    private static string Comm(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }
}

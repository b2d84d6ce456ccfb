using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Programs;

/// <summary><c>gateway --exec</c>: a machine that runs one program, and all that is seen of it is the program.</summary>
public sealed class ProgramTests : ProgramTest
{
    [Theory]
    [InlineData(0, "/bin/true")]
    [InlineData(42, "/bin/sh", "--args", "-c", "exit 42")]
    [InlineData(137, "/bin/sh", "--args", "-c", "kill -KILL $$")]
    [InlineData(126, "/etc/passwd")]
    [InlineData(127, "/no/such/program")]
    public async Task The_commands_exit_code_is_the_programs(int code, params string[] line)
    {
        var run = await Gateway.StartAsync(["--exec", .. line]);

        run.ExitCode.ShouldBe(code, run.ToString());
        run.Err.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task The_programs_streams_are_the_commands()
    {
        var run = await Gateway.RunAsync(GatewayCli.Long, "in\n"u8.ToArray(), "--exec", "/bin/sh", "--args", "-c", "cat; echo out; echo err >&2");

        run.Out.ShouldBe("in\nout\n");
        run.Err.ShouldBe("err\n");
    }

    [Fact]
    public async Task Variables_working_directory_and_arguments_arrive_as_they_were_given()
    {
        var run = await Gateway.StartAsync("--env", "COLOR=dark green", "--workdir", "/usr/lib", "--exec", "/bin/sh", "--args", "-c", "echo \"$COLOR|$PWD|$1|$2\"", "sh", "--exec", "a  b");

        run.OrFail().ShouldBe("dark green|/usr/lib|--exec|a  b\n");
    }

    [Fact]
    public async Task The_machine_is_what_was_asked_for()
    {
        var run = await Gateway.StartAsync("--vcpus", "1", "--mem", "768m", "--exec", "/bin/sh", "--args", "-c", "nproc; head -1 /proc/meminfo; ls /sys/class/net; cat /proc/1/comm");

        var lines = run.OrFail().Split('\n');
        lines[0].ShouldBe("1");
        int.Parse(lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(600 * 1024, 768 * 1024);
        lines.ShouldContain("lo");
        lines.ShouldContain("eth0");
        lines[^2].ShouldBe("openshell-init");
    }

    [Fact]
    public async Task A_signal_ends_program_and_machine()
    {
        using var process = Gateway.Start("--exec", "/bin/sh", "--args", "-c", "echo ready; exec sleep 1000");
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(GatewayCli.Long, TestContext.Current.CancellationToken)).ShouldBe("ready");

        LibC.Kill(process.Id, LibC.SigTerm).ShouldBe(0);

        (await HostProgram.EndAsync(process, TimeSpan.FromMinutes(1))).ExitCode.ShouldBe(128 + LibC.SigTerm);
    }

    [Fact]
    public async Task Two_machines_run_at_once()
    {
        // Each ends with its input, and that is when both have begun.
        using var one = Gateway.Start(Waiting("one"));
        using var two = Gateway.Start(Waiting("two"));
        foreach (var (machine, name) in new[] { (one, "one"), (two, "two") })
            (await machine.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(GatewayCli.Long, TestContext.Current.CancellationToken)).ShouldBe(name);
        foreach (var machine in new[] { one, two })
            (await HostProgram.EndAsync(machine, GatewayCli.Short)).OrFail();

        static string[] Waiting(string name) => ["--exec", "/bin/sh", "--args", "-c", $"echo {name}; exec cat"];
    }
}

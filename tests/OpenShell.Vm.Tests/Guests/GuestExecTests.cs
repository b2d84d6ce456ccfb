using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Guests;

public sealed class GuestExecTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Stdout_stderr_and_the_exit_code_come_apart(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (code, output, error) = await guest.Agent.ShellAsync("echo out; echo err >&2; exit 42");

        (code, output, error).ShouldBe((42, "out\n", "err\n"));
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_program_without_stdin_reads_its_end_at_once(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        (await guest.Agent.ShellAsync("wc -c")).Out.ShouldBe("0\n");
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Stdin_reaches_the_program_to_its_end(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (code, output, _) = await guest.Agent.RunAsync(new ExecRequest { Program = "tr", Arguments = ["a-z", "A-Z"] }, "hello\n"u8.ToArray());

        (code, output).ShouldBe((0, "HELLO\n"));
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_missing_program_is_127_with_a_reason(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var byName = await guest.Agent.RunAsync(new ExecRequest { Program = "no-such-program" });
        var byPath = await guest.Agent.RunAsync(new ExecRequest { Program = "/no/such/program" });

        (byName.Code, byPath.Code).ShouldBe((127, 127));
        byName.Error.ShouldContain("executable file not found in $PATH");
        byPath.Error.ShouldContain("no such file");
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task What_cannot_be_executed_is_126_with_a_reason(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var noPermission = await guest.Agent.RunAsync(new ExecRequest { Program = "/etc/passwd" });
        var folder = await guest.Agent.RunAsync(new ExecRequest { Program = "/tmp" });
        var noDirectory = await guest.Agent.RunAsync(new ExecRequest { Program = "true", WorkingDirectory = "/no/such/directory" });

        (noPermission.Code, folder.Code, noDirectory.Code).ShouldBe((126, 126, 126));
        noPermission.Error.ShouldContain("permission denied");
        noDirectory.Error.ShouldContain("chdir to \"/no/such/directory\": no such file or directory");
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_signal_ends_the_whole_process_group_and_shows_in_the_exit_code(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        await using var process = await guest.Agent.ExecAsync(new ExecRequest { Program = "/bin/sh", Arguments = ["-c", "sleep 1000 & echo $!; wait"] }, Token);
        var child = int.Parse((await process.Stdout.ReadUntilAsync("\n")).Trim());

        await process.SignalAsync(15, Token);

        (await process.Completion.WaitAsync(Token)).ExitCode.ShouldBe(128 + 15);
        await Processes.ShouldEndAsync(child);
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_signal_overtakes_stdin_that_nobody_reads(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        await using var process = await guest.Agent.ExecAsync(new ExecRequest { Program = "sleep", Arguments = ["1000"], Stdin = true }, Token);
        var flood = process.Stdin.WriteAsync(new byte[10_000_000], Token).AsTask();

        await process.SignalAsync(9, Token);

        (await process.Completion.WaitAsync(Token)).ExitCode.ShouldBe(128 + 9);
        await Should.ThrowAsync<IOException>(flood);
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Environment_and_working_directory_are_the_requests(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (_, output, _) = await guest.Agent.RunAsync(new ExecRequest
        {
            Program = "sh",
            Arguments = ["-c", "pwd; echo $A $HOME; env | grep -c ^A="],
            Environment = ["A=1", "HOME=/elsewhere", "A=2=3"],
            WorkingDirectory = "/usr/bin",
        });

        output.ShouldBe("/usr/bin\n2=3 /elsewhere\n1\n");
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_program_has_its_three_descriptors_and_no_other(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        // ls opens the folder itself as descriptor 3.
        (await guest.Agent.RunAsync(new ExecRequest { Program = "ls", Arguments = ["/proc/self/fd"] })).Out.ShouldBe("0\n1\n2\n3\n");
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Signals_are_neither_ignored_nor_blocked(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (_, output, _) = await guest.Agent.ShellAsync("grep -E '^Sig(Blk|Ign)' /proc/self/status");

        output.ShouldBe("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    }

    [Theory(Timeout = 120_000), CombinatorialRoutes]
    public async Task A_hundred_megabytes_go_through_intact_both_ways(Route route)
    {
        const int Size = 100_000_000;
        await using var guest = await GuestOnHost.StartAsync(route);
        await using var process = await guest.Agent.ExecAsync(new ExecRequest { Program = "cat", Stdin = true }, Token);
        using var sentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sending = Task.Run(async () =>
        {
            var random = new Random(1);
            for (var left = Size; left > 0;)
            {
                var chunk = new byte[Math.Min(left, 1_000_000)];
                random.NextBytes(chunk);
                sentHash.AppendData(chunk);
                await process.Stdin.WriteAsync(chunk, Token);
                left -= chunk.Length;
            }
            await process.Stdin.DisposeAsync();
        }, Token);

        var received = Convert.ToHexString(await SHA256.HashDataAsync(process.Stdout, Token));

        await sending;
        received.ShouldBe(Convert.ToHexString(sentHash.GetHashAndReset()));
        (await process.Completion.WaitAsync(Token)).ExitCode.ShouldBe(0);
    }

    [Theory(Timeout = 60_000), CombinatorialRoutes]
    public async Task Fifty_programs_run_at_once(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => guest.Agent.ShellAsync($"head -c 200000 /dev/zero | tr '\\0' x; echo {i} >&2; exit {i}")));

        for (var i = 0; i < results.Length; i++)
        {
            results[i].Code.ShouldBe(i);
            results[i].Out.Length.ShouldBe(200_000);
            results[i].Error.ShouldBe($"{i}\n");
        }
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_program_whose_output_nobody_reads_blocks_no_other(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        await using var flood = await guest.Agent.ExecAsync(new ExecRequest { Program = "cat", Arguments = ["/dev/zero"] }, Token);
        await flood.Stdout.ReadExactlyAsync(new byte[1000], Token);

        for (var i = 0; i < 20; i++)
            (await guest.Agent.ShellAsync("echo ok")).Out.ShouldBe("ok\n");
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_program_may_close_its_output_early(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (code, output, error) = await guest.Agent.ShellAsync("echo first; exec >&-; sleep 0.1; echo late >&2; exit 3");

        (code, output, error).ShouldBe((3, "first\n", "late\n"));
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_program_may_close_its_input_early(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (code, output, _) = await guest.Agent.RunAsync(
            new ExecRequest { Program = "sh", Arguments = ["-c", "read line; exec <&-; echo $line; sleep 0.2"] }, Encoding.UTF8.GetBytes("one\n" + new string('x', 1_000_000)));

        (code, output).ShouldBe((0, "one\n"));
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_grandchild_that_keeps_the_output_open_is_not_waited_for(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (code, output, _) = await guest.Agent.ShellAsync("setsid sleep 1000 & echo $!; head -c 50000 /dev/zero | tr '\\0' x; exit 5");

        code.ShouldBe(5);
        var pid = int.Parse(output[..output.IndexOf('\n', StringComparison.Ordinal)]);
        output.Length.ShouldBe(50_000 + pid.ToString().Length + 1);
        System.Diagnostics.Process.GetProcessById(pid).Kill();
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Disposing_a_process_kills_its_group(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        var process = await guest.Agent.ExecAsync(new ExecRequest { Program = "/bin/sh", Arguments = ["-c", "trap '' TERM HUP; sleep 1000 & echo $$ $!; wait"] }, Token);
        var pids = (await process.Stdout.ReadUntilAsync("\n")).Split().Where(word => word.Length > 0).Select(int.Parse).ToList();

        await process.DisposeAsync();

        foreach (var pid in pids)
            await Processes.ShouldEndAsync(pid);
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_client_that_disappears_takes_its_programs_along(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        var process = await guest.Agent.ExecAsync(new ExecRequest { Program = "/bin/sh", Arguments = ["-c", "echo $$; exec sleep 1000"] }, Token);
        var pid = int.Parse((await process.Stdout.ReadUntilAsync("\n")).Trim());

        await guest.Agent.DisposeAsync();

        await Processes.ShouldEndAsync(pid);
        await Should.ThrowAsync<OpenShell.Vm.Faults.FaultException>(process.Completion);
    }
}

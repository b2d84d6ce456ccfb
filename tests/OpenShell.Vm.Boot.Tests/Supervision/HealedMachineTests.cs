using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Boot.Tests.Supervision;

/// <summary>What is noticed while a machine runs: put right where that is possible, and named where it is not.</summary>
public sealed class HealedMachineTests : ProgramMachineTest
{
    private const int SigKill = 9, SigStop = 19;

    /// <summary>Every processor runs what comes before all else, for ever: interrupts are served, and no process gets a turn. A kernel that stands still looks the same from outside.</summary>
    internal const string Hang = "echo -1 > /proc/sys/kernel/sched_rt_runtime_us; for i in 1 2 3 4 5 6 7 8; do setsid chrt -f 99 sh -c 'while :; do :; done' < /dev/null > /dev/null 2>&1 & done; sleep 1000";

    [Fact]
    public async Task A_killed_network_is_replaced_and_the_guest_reaches_the_host_through_the_new_one()
    {
        await using var machine = await SleeperAsync(with: config => config with { AllowHostLoopback = true });
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        (await GreetAsync(machine, listener)).ShouldBe("hello");

        var before = await PidAsync("gvproxy");
        LibC.Kill(before, SigKill).ShouldBe(0);
        (await PidAsync("gvproxy", not: before)).ShouldNotBe(before);
        await Eventually.HoldsAsync("the guest reaches the host again", async () => await GreetAsync(machine, listener) == "hello", TimeSpan.FromMinutes(2));
        machine.Completion.IsCompleted.ShouldBeFalse();
        await machine.StopAsync();
    }

    [Fact]
    public async Task A_guest_in_which_nothing_gets_a_turn_is_named()
    {
        await using var machine = await SleeperAsync(options => options with { Silence = TimeSpan.FromSeconds(10) });
        await using var hang = await (await machine.Agent).ExecAsync(new ExecRequest { Program = "/bin/sh", Arguments = ["-c", Hang] }, Cancellation);
        var fault = (await Should.ThrowAsync<FaultException>(() => machine.Completion.WaitAsync(TimeSpan.FromMinutes(5), Cancellation))).Faults[0];
        fault.Code.ShouldBe("guest.hung");
        fault.What.ShouldContain("no word from PID 1");
    }

    [Fact]
    public async Task A_hypervisor_that_stands_still_is_named_and_ended_by_what_it_cannot_refuse()
    {
        await using var machine = await SleeperAsync(options => options with { Silence = TimeSpan.FromSeconds(3), Shutdown = options.Shutdown with { Terminate = TimeSpan.FromMilliseconds(500) } });
        LibC.Kill(await PidAsync("qemu-system"), SigStop).ShouldBe(0);
        (await Should.ThrowAsync<FaultException>(() => machine.Completion.WaitAsync(TimeSpan.FromMinutes(5), Cancellation))).Faults[0].Code.ShouldBe("guest.hung");
    }

    [Fact]
    public async Task A_guest_follows_the_clock_of_a_host_that_slept()
    {
        var slept = TimeSpan.Zero;
        await using var machine = await SleeperAsync(options => options with
        {
            HostClocks = () => HostClocks.Read() is var now ? now with { Wall = now.Wall + slept, SinceBoot = now.SinceBoot + slept } : default,
        });
        (await BehindAsync(machine)).ShouldBeLessThan(TimeSpan.FromMinutes(10));
        slept = TimeSpan.FromHours(5);
        await Eventually.HoldsAsync("the guest's clock is five hours on", async () => -await BehindAsync(machine) > TimeSpan.FromHours(4.9), TimeSpan.FromMinutes(2));
        await machine.StopAsync();
    }

    /// <summary>By how much the guest's clock is behind that of this machine.</summary>
    private static async Task<TimeSpan> BehindAsync(IRunningInstance machine) =>
        DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(long.Parse((await ShellAsync(machine, "date +%s")).Out, CultureInfo.InvariantCulture));

    /// <summary>The guest connects to this machine and is told a word.</summary>
    private static async Task<string> GreetAsync(IRunningInstance machine, TcpListener listener)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var greeting = Task.Run(async () =>
        {
            using var caller = await listener.AcceptTcpClientAsync(patience.Token);
            await caller.GetStream().WriteAsync(Encoding.ASCII.GetBytes("hello\n"), patience.Token);
        }, Cancellation);
        var (_, said) = await ShellAsync(machine, $"timeout 10 bash -c 'read -r line < /dev/tcp/192.168.127.254/{port}; echo $line'");
        await patience.CancelAsync();
        await greeting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return said.Trim();
    }
}

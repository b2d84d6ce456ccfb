using System.Diagnostics;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Guests;

/// <summary>The guest's agent as the real PID 1 of a PID namespace: whatever loses its parent becomes its child.</summary>
public sealed class PidOneTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Orphans_are_reaped_and_ones_own_children_keep_their_exit_codes()
    {
        await using var pidOne = await PidOne.StartAsync();

        var codes = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            (await pidOne.Agent.ShellAsync($"(sleep 0.0{i % 10}; exit 9) & (exit 8) & exit {i}")).Code));
        codes.ShouldBe(Enumerable.Range(0, 40));

        // Everything has ended once nothing but PID 1, the shell and its own helpers is left; zombies would still be there.
        string states;
        do
            states = (await pidOne.Agent.ShellAsync("cat /proc/[0-9]*/stat 2>/dev/null | sed 's/.*) //' | cut -c1 | sort | uniq -c")).Out;
        while (states.Contains('Z', StringComparison.Ordinal) && !Token.IsCancellationRequested);

        await pidOne.Agent.PowerOffAsync(Token);
        (await pidOne.ReportAsync("orphans")).UptimeNanoseconds.ShouldBeGreaterThanOrEqualTo(40);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_end_waits_until_there_is_no_child_left()
    {
        await using var pidOne = await PidOne.StartAsync();
        var gate = NamedPipe.Make(pidOne.At("gate"));
        await pidOne.Agent.ShellAsync($"setsid sh -c 'read line <{gate}' >/dev/null 2>&1 </dev/null &");

        await pidOne.Agent.PowerOffAsync(Token);

        // It looks for children right after this report; a program is started and ends meanwhile.
        await pidOne.ReportAsync("orphans");
        var childless = pidOne.ReportAsync("childless");
        (await pidOne.Agent.ShellAsync("exit 3")).Code.ShouldBe(3);
        childless.IsCompleted.ShouldBeFalse();
        await File.WriteAllTextAsync(gate, "go\n", Token);
        await childless;
    }

    private sealed class PidOne : IAsyncDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("openshell-").FullName;
        private readonly System.Threading.Channels.Channel<StageReport> _reports = System.Threading.Channels.Channel.CreateUnbounded<StageReport>();
        private Process _process = null!;

        public GuestAgent Agent { get; private set; } = null!;

        public string At(string name) => Path.Combine(_folder, name);

        public static async Task<PidOne> StartAsync()
        {
            var pidOne = new PidOne();
            var socket = Path.Combine(pidOne._folder, "agent");
            string[] namespaces = Environment.IsPrivilegedProcess ? ["--pid"] : ["--user", "--map-root-user", "--pid"];
            if (!await CanAsync(namespaces))
                Assert.Skip("This machine lets this user make no PID namespace.");
            pidOne._process = Process.Start("unshare", [.. namespaces, "--fork", "--kill-child", "--mount-proc", "dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "OpenShell.Vm.Guest.Dummy.dll"), socket]);
            pidOne.Agent = await GuestAgent.ConnectAsync(socket, GuestOnHost.SomeConfig, new Forward(pidOne._reports.Writer), Token);
            return pidOne;
        }

        public async Task<StageReport> ReportAsync(string stage)
        {
            while (true)
            {
                var report = await _reports.Reader.ReadAsync(Token);
                if (report.Stage == stage)
                    return report;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Agent.DisposeAsync();
            _process.Kill();
            _process.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private static async Task<bool> CanAsync(string[] namespaces)
        {
            try
            {
                using var probe = Process.Start("unshare", [.. namespaces, "--fork", "--mount-proc", "true"]);
                await probe.WaitForExitAsync(Token);
                return probe.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }

        private sealed class Forward(System.Threading.Channels.ChannelWriter<StageReport> reports) : IProgress<StageReport>
        {
            public void Report(StageReport value) => reports.TryWrite(value);
        }
    }
}

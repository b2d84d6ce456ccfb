using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Boot.Tests.Supervision;

/// <summary>A test of real machines that run a program, over the library. Nothing of them may be left.</summary>
public abstract class ProgramMachineTest : IAsyncLifetime
{
    private protected TestHome Home { get; } = new();

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await Requirements.SkipUnlessMachinesCanBootAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        try
        {
            Leftovers.Of(Home).ShouldBeEmpty();
        }
        finally
        {
            Home.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private protected static InstanceConfig Program { get; } = new()
    {
        Name = "program",
        Mode = GuestMode.Exec,
        Exec = new ExecRequest { Program = "/bin/sh", Arguments = ["-c", "echo up; exec sleep 1000"] },
    };

    private protected LocalInstances Instances(Func<InstancesOptions, InstancesOptions>? change = null)
    {
        var options = new InstancesOptions { Directories = Home.Directories };
        return new LocalInstances(change?.Invoke(options) ?? options);
    }

    private protected async Task<IRunningInstance> SleeperAsync(Func<InstancesOptions, InstancesOptions>? change = null, Func<InstanceConfig, InstanceConfig>? with = null)
    {
        var machine = await Instances(change).RunAsync(with?.Invoke(Program) ?? Program, cancellationToken: Cancellation);
        var program = await machine.Process;
        using var output = new StreamReader(program.Stdout, leaveOpen: true);
        (await output.ReadLineAsync(Cancellation)).ShouldBe("up");
        return machine;
    }

    /// <summary>The process that belongs to this test's machine, by its name and by the test's folder in its command line.</summary>
    private protected async Task<int> PidAsync(string name, int not = 0)
    {
        var found = 0;
        await Eventually.HoldsAsync($"{name} runs", () =>
        {
            foreach (var process in Directory.EnumerateDirectories("/proc").Where(p => Path.GetFileName(p).All(char.IsAsciiDigit)))
            {
                try
                {
                    var line = File.ReadAllText(process + "/cmdline").Split('\0');
                    if (Path.GetFileName(line[0]).StartsWith(name, StringComparison.Ordinal) && line.Any(a => a.Contains(Home.Root, StringComparison.Ordinal)))
                        found = int.Parse(Path.GetFileName(process), System.Globalization.CultureInfo.InvariantCulture) is var pid && pid != not ? pid : found;
                }
                catch (IOException)
                {
                    // It has just ended.
                }
            }

            return Task.FromResult(found != 0);
        }, TimeSpan.FromMinutes(1));
        return found;
    }

    /// <summary>Runs a line of shell in the guest, beside its program.</summary>
    private protected static async Task<(int ExitCode, string Out)> ShellAsync(IRunningInstance machine, string line)
    {
        await using var shell = await (await machine.Agent).ExecAsync(new ExecRequest { Program = "/bin/bash", Arguments = ["-c", line] }, Cancellation);
        using var output = new StreamReader(shell.Stdout, leaveOpen: true);
        var said = await output.ReadToEndAsync(Cancellation);
        return ((await shell.Completion).ExitCode, said);
    }
}

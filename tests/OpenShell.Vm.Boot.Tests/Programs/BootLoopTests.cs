using System.Globalization;

namespace OpenShell.Vm.Boot.Tests.Programs;

/// <summary>Booting is not a matter of luck: as many boots in a row as <c>OPENSHELL_VM_TEST_BOOTS</c> says (10), every one of them.</summary>
public sealed class BootLoopTests : ProgramTest
{
    [Fact]
    public async Task Every_boot_in_a_row_succeeds()
    {
        var boots = int.Parse(Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_BOOTS") is { Length: > 0 } set ? set : "10", CultureInfo.InvariantCulture);
        var seconds = new List<double>();
        var failures = new List<string>();
        for (var boot = 1; boot <= boots; boot++)
        {
            var run = await Gateway.StartAsync("--exec", "/bin/true");
            seconds.Add(run.Elapsed.TotalSeconds);
            if (run.ExitCode != 0 || run.Err.Length > 0)
                failures.Add($"boot {boot}: {run}");
        }

        seconds.Sort();
        Console.Out.WriteLine($"{boots - failures.Count} of {boots} boots; seconds: best {seconds[0]:0.00}, median {seconds[seconds.Count / 2]:0.00}, worst {seconds[^1]:0.00}");
        failures.ShouldBeEmpty();
    }
}

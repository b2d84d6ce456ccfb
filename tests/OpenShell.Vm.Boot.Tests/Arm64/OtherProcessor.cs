using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images;

namespace OpenShell.Vm.Boot.Tests.Arm64;

/// <summary>What tests of the other processor need of the host.</summary>
internal static class OtherProcessor
{
    /// <summary>AArch64 wherever these tests run on a PC; on an AArch64 machine it is the host's own, and nothing is emulated that need not be.</summary>
    public const string Name = Architectures.Arm64;

    /// <summary>Skips a test where the emulator or the compiler is missing, and says which packages have them.</summary>
    public static async Task SkipUnlessThereAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        if (Architectures.Host == Name)
            return;
        using var home = new TestHome();
        using var setup = JsonDocument.Parse((await new GatewayCli(home).RunAsync("setup", "--with-tests", "--dry-run", "--output", "json")).OrFail());
        var missing = setup.RootElement.GetProperty("packages").EnumerateArray().Select(p => p.GetProperty("name").GetString()!)
            .Where(name => name.Contains("arm", StringComparison.Ordinal) || name.Contains("aarch64", StringComparison.Ordinal)).ToList();
        if (missing.Count > 0)
            Assert.Skip("packages are missing (run 'gateway setup --with-tests'): " + string.Join(", ", missing));
    }
}

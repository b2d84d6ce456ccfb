namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>What these tests need that is not theirs to install.</summary>
internal static class Requirements
{
    private static readonly Lazy<Task<string?>> Packages = new(async () =>
    {
        using var home = new TestHome();
        var missing = await new GatewayCli(home).RunAsync("setup", "--dry-run", "--output", "json");

        // A host that is none of the project's; whatever else is wrong with the command is wrong with the command.
        if (missing.ExitCode != 0 && missing.Err.Contains("this host has no dpkg", StringComparison.Ordinal))
            return missing.ToString();
        missing.OrFail();
        using var json = System.Text.Json.JsonDocument.Parse(missing.Output);
        return json.RootElement.GetProperty("ready").GetBoolean()
            ? null
            : "packages are missing (run 'gateway setup'): " + string.Join(", ", json.RootElement.GetProperty("packages").EnumerateArray().Select(package => package.GetProperty("name").GetString()));
    });

    /// <summary>When a run begins no more tests that boot machines, in seconds since the epoch: './test' gives itself a time, so that a slow machine ends with what it could try, and says what it could not.</summary>
    private static readonly DateTimeOffset? Until =
        long.TryParse(Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_UNTIL"), out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <summary>Skips a test that boots a machine where none can be booted, and says what is missing; or where the run has no time left to begin one.</summary>
    public static async Task SkipUnlessMachinesCanBootAsync(bool atAnyTime = false)
    {
        if (!atAnyTime && Until < DateTimeOffset.UtcNow)
            Assert.Skip("this run has no time left to begin another test with machines: './test --full' takes as long as it takes");
        if (await Packages.Value is { } missing)
            Assert.Skip(missing);
    }

    /// <summary>Skips a test that boots our own kernel where that was not built, unless the run is one that builds it.</summary>
    public static async Task SkipUnlessCustomKernelAsync(GatewayCli gateway)
    {
        if (Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_KERNEL") is "build")
            return;
        var plan = await gateway.RunAsync("plan", "--kernel", "custom", "--exec", "/bin/true", "--output", "json");
        using var json = System.Text.Json.JsonDocument.Parse(plan.OrFail());
        if (json.RootElement.GetProperty("plan").GetProperty("kernel").GetString()!.StartsWith("/not/built/yet", StringComparison.Ordinal))
            Assert.Skip("our own kernel is not in the image cache: 'gateway kernel build' makes it in some 20 minutes, as does './test --full'");
    }

    /// <summary>Skips a test that takes long, unless the run is one that has time for it.</summary>
    public static void SkipUnlessFull(string why = "a second cluster takes another minute and a half: './test --full' starts it")
    {
        if (Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_KERNEL") is not "build")
            Assert.Skip(why);
    }

    /// <summary>Skips a test that needs a program of the host.</summary>
    public static void SkipUnless(string program, string package)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program))))
            Assert.Skip($"{program} is missing (package {package})");
    }
}

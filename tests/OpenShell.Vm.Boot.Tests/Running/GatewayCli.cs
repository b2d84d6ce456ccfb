using System.Diagnostics;

namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>The command as a user types it.</summary>
internal sealed class GatewayCli(TestHome home)
{
    /// <summary>For what does not wait for a machine.</summary>
    public static readonly TimeSpan Short = TimeSpan.FromMinutes(2);

    /// <summary>For a start: minutes, and where no image is cached yet, the better part of an hour.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromMinutes(45);

    /// <summary>The program: the one that was built with the tests, or another, such as the repository's <c>./gateway</c>.</summary>
    public static string Program { get; } =
        Environment.GetEnvironmentVariable("OPENSHELL_VM_TEST_GATEWAY") is { Length: > 0 } other ? Path.GetFullPath(other) : Path.Combine(AppContext.BaseDirectory, "gateway");

    public TestHome Home { get; } = home;

    public Task<Finished> RunAsync(params IReadOnlyList<string> arguments) => RunAsync(Short, [], arguments);

    public Task<Finished> StartAsync(params IReadOnlyList<string> arguments) => RunAsync(Long, [], arguments);

    /// <summary>With another environment than a user's.</summary>
    public static Task<Finished> StartAsync(IReadOnlyDictionary<string, string?> environment, params IReadOnlyList<string> arguments) => HostProgram.RunAsync(Program, arguments, Long, environment, []);

    public Task<Finished> RunAsync(TimeSpan timeout, byte[] input, params IReadOnlyList<string> arguments) =>
        HostProgram.RunAsync(Program, arguments, timeout, Home.Environment, input);

    /// <summary>Starts it and leaves it running.</summary>
    public Process Start(params IEnumerable<string> arguments) => HostProgram.Start(Program, arguments, Home.Environment);
}

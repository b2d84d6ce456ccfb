namespace OpenShell.Vm.Guest.Boot;

/// <summary>The kernel's command line, as far as PID 1 reads it (<see cref="Protocol.GuestKernelArguments"/>).</summary>
internal static class KernelArguments
{
    private const string CommandLine = "/proc/cmdline";

    /// <summary>This boot's; nothing before /proc is mounted.</summary>
    public static IReadOnlyList<string> Current() => File.Exists(CommandLine) ? Parse(File.ReadAllText(CommandLine)) : [];

    /// <summary>Words; what stands behind <c>--</c> is not for the kernel. No argument that is read here has a space in it.</summary>
    internal static IReadOnlyList<string> Parse(string text) =>
        [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).TakeWhile(word => word != "--").Select(word => word.Replace("\"", "", StringComparison.Ordinal))];

    /// <summary>What stands behind <c>NAME=</c>; <see langword="null"/>: it is not there.</summary>
    internal static string? Value(IReadOnlyList<string> arguments, string name) =>
        arguments.LastOrDefault(argument => argument.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
}

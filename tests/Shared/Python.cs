using System.Diagnostics;

namespace OpenShell.Tests;

/// <summary>Debian's Python with its grpcio: an independent implementation of gRPC to test against.</summary>
internal static class Python
{
    public const string Path = "/usr/bin/python3";

    private static readonly Lazy<string?> Missing = new(Probe);

    /// <summary>Skips the test, naming what is missing, where there is no Python with grpcio.</summary>
    public static void SkipUnlessGrpc()
    {
        if (Missing.Value is { } reason)
            Assert.Skip(reason);
    }

    /// <summary>Starts a script with all streams redirected.</summary>
    public static Process Start(string script, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // No proxy, no chatter from the C core: what is printed is the script's own.
        start.Environment["no_proxy"] = "*";
        start.Environment["GRPC_VERBOSITY"] = "NONE";
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static string? Probe()
    {
        if (!File.Exists(Path))
            return $"{Path} is missing (package python3)";
        using var process = Start("import grpc");
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{Path} has no grpc module (package python3-grpcio)";
    }
}

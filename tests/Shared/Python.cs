using System.Collections.Concurrent;
using System.Diagnostics;

namespace OpenShell.Tests;

/// <summary>Debian's Python with its libraries: independent implementations of gRPC and of Kubernetes' clients to test against.</summary>
internal static class Python
{
    public const string Path = "/usr/bin/python3";

    private static readonly ConcurrentDictionary<string, bool> Known = [];

    /// <summary>Skips the test, naming what is missing, where there is no Python with grpcio.</summary>
    public static void SkipUnlessGrpc() => SkipUnless("grpc", "python3-grpcio");

    /// <summary>Skips the test, naming what is missing, where there is no Python with a module.</summary>
    public static void SkipUnless(string module, string package)
    {
        if (!File.Exists(Path))
            Assert.Skip($"{Path} is missing (package python3)");
        if (!Known.GetOrAdd(module, Has))
            Assert.Skip($"{Path} has no {module} module (package {package})");
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

    private static bool Has(string module)
    {
        using var process = Start("import " + module);
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

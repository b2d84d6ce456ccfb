using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OpenShell.Vm.Bench;

/// <summary>A program on the host, from its start to its end.</summary>
internal static class HostProgram
{
    /// <summary>The command as it was built with the benchmarks.</summary>
    public static string Gateway { get; } = Path.Combine(AppContext.BaseDirectory, "gateway");

    /// <summary>The command as users call it from a tree of sources: compiled ahead of time, with the settings of its start.</summary>
    public static string Command { get; } = Path.Combine(Root(), "gateway");

    /// <summary>Runs one with nothing on stdin.</summary>
    /// <returns>What it printed and how long it took, from before its start to after its end.</returns>
    /// <exception cref="BenchException">It did not end with 0, or not in time.</exception>
    public static async Task<(string Output, TimeSpan Elapsed)> RunAsync(
        string program, IEnumerable<string> arguments, TimeSpan timeout, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        var clock = Stopwatch.StartNew();
        using var process = Start(start);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new BenchException($"{Path.GetFileName(program)} took longer than {timeout.TotalSeconds:0} s: {await errors}");
        }
        var elapsed = clock.Elapsed;
        return process.ExitCode == 0
            ? (await output, elapsed)
            : throw new BenchException($"{Path.GetFileName(program)} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode}: {await errors}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new BenchException($"{start.FileName} cannot be started: {e.Message}. 'gateway setup --with-tests' installs what is missing.");
        }
    }

    /// <summary>A port of the loopback that nobody has at this moment.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>The tree that the benchmarks were built in.</summary>
    public static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OpenShell.Vm.slnx")))
            folder = folder.Parent ?? throw new BenchException("The benchmarks do not run in the tree of their sources.");
        return folder.FullName;
    }
}

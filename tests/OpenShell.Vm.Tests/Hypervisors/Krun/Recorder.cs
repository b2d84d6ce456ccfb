using System.Diagnostics;
using System.Globalization;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors.Krun;

/// <summary>
/// The recording libkrun (Recorder/recorder.c), compiled for each set of exports that a test asks for, with a libkrunfw that holds nothing beside it. It stands behind
/// the real loader and bindings, in the real process.
/// </summary>
public sealed class Recorder : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly Lock _gate = new();

    /// <summary>The levels: libkrun 1.9, 1.11, and so on.</summary>
    public static IReadOnlyList<int> Levels { get; } = [9, 11, 15, 17, 19];

    /// <summary>The program that becomes a machine.</summary>
    internal static string Gateway { get; } = AppContext.BaseDirectory.Replace("/OpenShell.Vm.Tests/", "/Gateway.Cli/", StringComparison.Ordinal) + "gateway";

    /// <summary>The library of a level.</summary>
    internal string Library(int level)
    {
        lock (_gate)
        {
            var path = _folder.File(string.Create(CultureInfo.InvariantCulture, $"{level}/libkrun.so.1"));
            if (!File.Exists(path))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                Compile("libkrun.so.1", path, [string.Create(CultureInfo.InvariantCulture, $"-DLEVEL={level}"), Source("recorder.c"), "-ldl", "-lpthread"]);
            }

            return path;
        }
    }

    /// <summary>Both libkrunfw, as a host with several versions has them.</summary>
    internal IReadOnlyList<string> Firmware()
    {
        lock (_gate)
            return [Firmware("libkrunfw.so.5"), Firmware("libkrunfw.so.4")];
    }

    public void Dispose() => _folder.Dispose();

    private string Firmware(string name)
    {
        var path = _folder.File(name);
        if (!File.Exists(path))
            Compile(name, path, ["-x", "c", "/dev/null"]);
        return path;
    }

    private static string Source(string name) => Path.Combine(AppContext.BaseDirectory, "Recorder", name);

    private static void Compile(string soname, string output, string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/gcc"), "There is no gcc here, which compiles the recording libkrun.");
        using var gcc = Process.Start(new ProcessStartInfo("/usr/bin/gcc", ["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-Wl,-soname," + soname, "-o", output, .. arguments]) { RedirectStandardError = true })!;
        var said = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        gcc.ExitCode.ShouldBe(0, said);
    }
}

using System.Runtime.CompilerServices;

namespace OpenShell.Vm.Tests.Support;

/// <summary>Compares text with a file of the repository. <c>UPDATE_GOLDEN=1</c> writes the file instead: then look at the difference and commit it.</summary>
internal static class GoldenFile
{
    internal static void ShouldMatch(string name, string actual, [CallerFilePath] string caller = "")
    {
        var folder = Path.GetDirectoryName(caller)!;
        while (!Directory.Exists(Path.Combine(folder, "Golden")))
            folder = Path.GetDirectoryName(folder)!;
        var path = Path.Combine(folder, "Golden", name);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual);
        actual.ShouldBe(File.ReadAllText(path), $"{name}: run with UPDATE_GOLDEN=1 if this change is wanted");
    }
}

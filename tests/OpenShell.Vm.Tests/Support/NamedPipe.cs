using System.Diagnostics;

namespace OpenShell.Vm.Tests.Support;

/// <summary>A pipe with a name, which nobody writes into.</summary>
internal static class NamedPipe
{
    /// <summary>Makes one, and returns its path.</summary>
    public static string Make(string path)
    {
        using var maker = Process.Start("mkfifo", [path]);
        maker.WaitForExit();
        maker.ExitCode.ShouldBe(0);
        return path;
    }
}

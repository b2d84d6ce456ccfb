using System.Runtime.InteropServices;

namespace OpenShell.Tests;

/// <summary>What .NET has no call for.</summary>
internal static partial class LibC
{
    public const int SigTerm = 15;

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int pid, int signal);

    // File.Move does not take a link that leads to a folder.
    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);
}

using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Power;

/// <summary>Takes file systems off at the end, so that those on disks are clean.</summary>
internal static class Unmounter
{
    /// <summary>Mount points, the last mounted first, without those that the machine's end takes with it anyway.</summary>
    /// <param name="mountInfo">The text of <c>/proc/self/mountinfo</c> (proc_pid_mountinfo(5)).</param>
    public static IReadOnlyList<Mounted> Plan(string mountInfo)
    {
        var mounted = new List<Mounted>();
        foreach (var line in mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (separator < 0 || separator + 1 >= fields.Length || fields[4] == "/")
                continue;
            mounted.Add(new Mounted(Unescape(fields[4]), fields[separator + 1]));
        }

        mounted.Reverse();
        return [.. mounted.Where(m => m.Type is not ("proc" or "sysfs" or "devtmpfs" or "devpts"))];
    }

    /// <summary>Unmounts all; what is still in use is detached, and file systems on disks are made read-only first, so that they end clean all the same.</summary>
    public static void UnmountAll()
    {
        foreach (var (target, type) in Plan(File.ReadAllText("/proc/self/mountinfo")))
        {
            if (Linux.Unmount(target, 0) == 0 || Errno.Last == Errno.Invalid)
                continue;
            var busy = Errno.LastText;
            if (type is "ext4")
            {
                var readOnly = Linux.Mount(null!, target, null, Linux.MsRemount | Linux.MsReadOnly, null) == 0;
                KernelConsole.Say($"{target} is still in use ({busy}){(readOnly ? "; it was made read-only" : "")}");
            }

            _ = Linux.Unmount(target, Linux.MntDetach);
        }
    }

    /// <summary>mountinfo writes blanks, tabs, newlines and backslashes in octal.</summary>
    private static string Unescape(string path) =>
        path.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal).Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);
}

/// <summary>A mounted file system.</summary>
/// <param name="Target">Where.</param>
/// <param name="Type">Its type.</param>
internal sealed record Mounted(string Target, string Type);

namespace OpenShell.Vm.Upkeep;

/// <summary>Unix sockets that are bound to a path, by the kernel's own list (https://man7.org/linux/man-pages/man5/proc_pid_net.5.html, <c>unix</c>).</summary>
internal static class ListeningSockets
{
    /// <summary>Whether a process has a socket in that folder; where there is no such list, it is taken for granted that one has.</summary>
    internal static bool IsAnyIn(string folder)
    {
        try
        {
            // Num RefCount Protocol Flags Type St Inode Path: the path is the rest of the line.
            var start = folder.TrimEnd('/') + "/";
            return File.ReadLines("/proc/net/unix").Skip(1).Any(line => line.Split(' ', 8, StringSplitOptions.RemoveEmptyEntries) is [.., var path] && path.StartsWith(start, StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Directory.EnumerateFileSystemEntries(folder).Any();
        }
    }
}

namespace OpenShell.Gateway.Cli.Running;

/// <summary>A log on this host that somebody else writes.</summary>
internal sealed class LogFile(string path)
{
    /// <summary>How soon new lines are noticed. inotify would be sooner, but fails quietly on some file systems.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Copies all of it, and when following what is added later; a file begun anew is read from its beginning.</summary>
    public async Task CopyAsync(Stream destination, bool follow, CancellationToken cancellationToken)
    {
        var file = Open();
        try
        {
            await file.CopyToAsync(destination, cancellationToken);
            while (follow)
            {
                await Task.Delay(Interval, cancellationToken);
                var length = file.Length;
                if (length < file.Position)
                    file.Position = 0;
                await file.CopyToAsync(destination, cancellationToken);
                if (Replaced(file))
                {
                    await file.DisposeAsync();
                    file = Open();
                }
            }
        }
        finally
        {
            await file.DisposeAsync();
        }
    }

    private FileStream Open() => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private bool Replaced(FileStream open)
    {
        if (!File.Exists(path))
            return false;
        if (!OperatingSystem.IsLinux())
            return new FileInfo(path).Length < open.Position;
        using var now = Open();
        return NameOf(now) != NameOf(open);
    }

    // The kernel knows what an open file is called by now, and says when it was deleted (https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html).
    private static string? NameOf(FileStream file) => new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget;
}

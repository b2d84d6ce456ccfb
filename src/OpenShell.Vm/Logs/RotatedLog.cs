namespace OpenShell.Vm.Logs;

/// <summary>Reads a log that somebody else writes and rotates: its older parts first, then as it grows.</summary>
public sealed class RotatedLog(string path)
{
    /// <summary>How soon new lines are noticed. inotify would be sooner, but fails quietly on some file systems.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether there is anything to read.</summary>
    public bool Exists => File.Exists(path);

    /// <summary>Copies all of it, and when following what is added later. A rotation in between loses nothing that was kept; a file begun anew is read from its beginning.</summary>
    public async Task CopyAsync(Stream destination, bool follow, CancellationToken cancellationToken)
    {
        // Before anything is read: what is rotated from here on is noticed.
        var last = Stamp.Of(path);
        foreach (var part in LogRotation.Parts(path))
        {
            await using var older = Open(part);
            await older.CopyToAsync(destination, cancellationToken).ConfigureAwait(false);
        }

        var file = Open(path);
        try
        {
            await file.CopyToAsync(destination, cancellationToken).ConfigureAwait(false);
            await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
            while (follow)
            {
                await Task.Delay(Interval, cancellationToken).ConfigureAwait(false);

                // Cut: when by a rotation, the part that was cut away has its name already.
                var cut = file.Length < file.Position;
                if (Stamp.Of(path) is var now && now != last)
                {
                    last = now;
                    await CopyRestAsync(file.Position, destination, cancellationToken).ConfigureAwait(false);
                    file.Position = 0;
                }
                else if (cut)
                {
                    file.Position = 0;
                }

                await file.CopyToAsync(destination, cancellationToken).ConfigureAwait(false);
                if (Replaced(file))
                {
                    // Its last words may have come since.
                    await file.CopyToAsync(destination, cancellationToken).ConfigureAwait(false);
                    await file.DisposeAsync().ConfigureAwait(false);
                    file = Open(path);
                    last = Stamp.Of(path);
                }

                await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What was not read yet when the log was cut.</summary>
    private async Task CopyRestAsync(long position, Stream destination, CancellationToken cancellationToken)
    {
        try
        {
            await using var part = Open(LogRotation.PartOf(path, 1));
            if (part.Length <= position)
                return;
            part.Position = position;
            await part.CopyToAsync(destination, cancellationToken).ConfigureAwait(false);
        }
        catch (FileNotFoundException)
        {
            // None was kept.
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private bool Replaced(FileStream open)
    {
        if (!File.Exists(path))
            return false;
        if (!OperatingSystem.IsLinux())
            return new FileInfo(path).Length < open.Position;
        try
        {
            using var now = Open(path);
            return NameOf(now) != NameOf(open);
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    // The kernel knows what an open file is called by now, and says when it was deleted (https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html).
    private static string? NameOf(FileStream file) => new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget;

    /// <summary>Tells one youngest part from the next: a part is never written again.</summary>
    private readonly record struct Stamp(DateTime Written, long Length)
    {
        internal static Stamp Of(string path) =>
            new FileInfo(LogRotation.PartOf(path, 1)) is { Exists: true } part ? new Stamp(part.LastWriteTimeUtc, part.Length) : default;
    }
}

using System.Globalization;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// Which instances of this image cache go on from a memory at this moment. Each holds one file locked for reading (flock(2), which its kernel gives back however it ends) until its gateway has answered; where nobody does, it can be locked for
/// writing. Where processors are emulated, few of them go on at a time: a turn is a file of its own, locked for writing. A courtesy and no more: where it cannot be had, nobody waits.
/// </summary>
/// <param name="path">The file, and with a number behind it those of the turns; they stay, and are empty.</param>
/// <param name="time">Paces the looks at them.</param>
internal sealed class ResumesUnderWay(string path, TimeProvider time)
{
    /// <summary>Eight at once on two emulated processors have answered by then, and one after the other do not hold each other up for longer.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100), PauseForTurn = TimeSpan.FromMilliseconds(20), PauseForLook = TimeSpan.FromMilliseconds(2);

    /// <summary>Who looks holds it for an instant.</summary>
    private const int Attempts = 20;

    /// <summary>To see whether somebody is there the kernel goes through all its connections.</summary>
    private const int LooksPerQuestion = 10;

    /// <summary>Those that share an image cache.</summary>
    internal static ResumesUnderWay Of(HostDirectories directories, TimeProvider time) => new(new CacheLayout(directories.Cache).Guard("resuming"), time);

    /// <summary>One more, until it is disposed of, when it is its turn; after <see cref="Patience"/> it goes on all the same.</summary>
    /// <param name="atOnce">How many go on at a time; <see langword="null"/>: as many as there are.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async Task<IDisposable> EnterAsync(int? atOnce, CancellationToken cancellationToken)
    {
        var entry = new Entry();
        try
        {
            entry.Keep(await LockAsync([path], Libc.LockShared, Attempts, PauseForLook, cancellationToken).ConfigureAwait(false));
            if (atOnce is { } count)
            {
                var turns = Enumerable.Range(1, count).Select(turn => string.Create(CultureInfo.InvariantCulture, $"{path}-{turn}"));
                entry.Keep(await LockAsync(turns, Libc.LockExclusive, (int)(Patience / PauseForTurn), PauseForTurn, cancellationToken).ConfigureAwait(false));
            }

            return entry;
        }
        catch
        {
            entry.Dispose();
            throw;
        }
    }

    /// <summary>Returns when there is none, when somebody has a use for who waits, or after <see cref="Patience"/>.</summary>
    /// <param name="isWanted">Whether there is such a use; asked now and then.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async Task OverAsync(Func<bool> isWanted, CancellationToken cancellationToken)
    {
        using var file = Open(path);
        if (file is null)
            return;
        var (started, looks) = (time.GetTimestamp(), 0);
        while (!TryLock(file, Libc.LockExclusive) && time.GetElapsedTime(started) < Patience && !(looks++ % LooksPerQuestion == 0 && isWanted()))
            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The first of these files that can be locked; <see langword="null"/>: none within so many attempts, or there is no such file.</summary>
    private async Task<SafeFileHandle?> LockAsync(IEnumerable<string> paths, int how, int attempts, TimeSpan pause, CancellationToken cancellationToken)
    {
        var files = paths.Select(Open).OfType<SafeFileHandle>().ToList();
        try
        {
            for (var i = 0; i < attempts && files.Count > 0; i++)
            {
                if (files.Find(file => TryLock(file, how)) is { } locked)
                {
                    files.Remove(locked);
                    return locked;
                }

                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
            }

            return null;
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    private static bool TryLock(SafeFileHandle file, int how) => Libc.Flock((int)file.DangerousGetHandle(), how | Libc.LockNonBlocking) == 0;

    private static SafeFileHandle? Open(string path)
    {
        try
        {
            return LockFile.Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed class Entry : IDisposable
    {
        private readonly List<SafeFileHandle> _files = [];

        public void Keep(SafeFileHandle? file)
        {
            if (file is not null)
                _files.Add(file);
        }

        public void Dispose() => _files.ForEach(file => file.Dispose());
    }
}

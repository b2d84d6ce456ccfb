using System.Globalization;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Images.Cache;

/// <summary>A lock among processes, held by an open file: the kernel releases it when its holder dies, however it dies.</summary>
internal sealed class Guard : IDisposable
{
    // How often a waiting process looks again. There is no cancellable way to wait for a file lock; a fifth of a second is not felt beside a build.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    private readonly FileStream _stream;

    private Guard(FileStream stream) => _stream = stream;

    /// <summary>Takes the lock; while another process has it, calls <paramref name="onWait"/> once with the number of that process (0 if unknown).</summary>
    public static async Task<Guard> EnterAsync(string path, Action<int>? onWait, CancellationToken cancellationToken)
    {
        for (var said = false; ; said = true)
        {
            if (TryEnter(path) is { } guard)
                return guard;
            if (!said)
                onWait?.Invoke(Holder(path));
            await Task.Delay(LookAgain, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock if nobody has it.</summary>
    public static Guard? TryEnter(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream stream;
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB) on Unix, and .NET opens with O_CLOEXEC, so children do not inherit it.
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == Libc.WouldBlock)
        {
            return null;
        }

        // The lock's file is never deleted (a waiter that had opened it before would hold a lock that nobody else can see), and
        // .NET cannot read a file that is locked; so who holds it stands beside it.
        File.WriteAllText(HolderFile(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new Guard(stream);
    }

    public void Dispose() => _stream.Dispose();

    private static string HolderFile(string path) => path + ".pid";

    private static int Holder(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(HolderFile(path)), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0;
        }
        catch (IOException)
        {
            return 0; // its holder is writing it this moment; the number is only for the message
        }
    }
}

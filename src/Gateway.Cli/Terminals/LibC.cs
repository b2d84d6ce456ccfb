using System.Runtime.InteropServices;

namespace OpenShell.Gateway.Cli.Terminals;

/// <summary>
/// The C library's terminal functions. .NET's Console offers a size and keys, but no raw mode, and it changes terminal settings on its own;
/// this program therefore talks to the terminal only through these.
/// </summary>
internal static unsafe partial class LibC
{
    public const int Stdin = 0;
    public const int Stdout = 1;
    public const int Stderr = 2;

    /// <summary>
    /// Room for a <c>struct termios</c>, whose layout differs by system and is of no interest here: it is only ever handed from
    /// tcgetattr through cfmakeraw to tcsetattr. glibc on Linux has 60 bytes, macOS 72.
    /// </summary>
    public const int TermiosRoom = 256;

    /// <summary>tcsetattr: change when all output has been sent (Linux and macOS alike; https://man7.org/linux/man-pages/man3/termios.3.html).</summary>
    private const int TcsaDrain = 1;

    /// <summary>ioctl request for the window's size on Linux: https://man7.org/linux/man-pages/man2/TIOCSWINSZ.2const.html.</summary>
    private const nuint TiocgWinsz = 0x5413;

    public const short PollIn = 1;
    public const short PollOut = 4;

    // errno values of Linux; macOS differs in EAGAIN only.
    public const int Interrupted = 4;
    public const int BrokenPipe = 32;
    public static readonly int WouldBlock = OperatingSystem.IsMacOS() ? 35 : 11;

    public static bool IsTerminal(int descriptor) => isatty(descriptor) == 1;

    /// <summary>The settings of a terminal, or <see langword="null"/> if it is none.</summary>
    public static byte[]? GetSettings(int descriptor)
    {
        var settings = new byte[TermiosRoom];
        fixed (byte* p = settings)
            return tcgetattr(descriptor, p) == 0 ? settings : null;
    }

    /// <summary>Those settings changed so that every byte passes untouched in both directions.</summary>
    public static byte[] MakeRaw(byte[] settings)
    {
        byte[] raw = [.. settings];
        fixed (byte* p = raw)
            cfmakeraw(p);
        return raw;
    }

    public static bool Apply(int descriptor, byte[] settings)
    {
        fixed (byte* p = settings)
            return tcsetattr(descriptor, TcsaDrain, p) == 0;
    }

    /// <summary>Columns and rows, or <see langword="null"/> if it is no terminal or does not know.</summary>
    public static (int Columns, int Rows)? WindowSize(int descriptor)
    {
        // ioctl is variadic. On Linux a third argument is passed as in any other call; on macOS's arm64 it is not, and .NET cannot make that call.
        if (!OperatingSystem.IsLinux())
            return IsTerminal(descriptor) ? (Console.WindowWidth, Console.WindowHeight) : null;

        // struct winsize { unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel; }
        var size = stackalloc ushort[4];
        return ioctl(descriptor, TiocgWinsz, size) == 0 && size[0] > 0 && size[1] > 0 ? (size[1], size[0]) : null;
    }

    /// <summary>Whether this process may write there.</summary>
    public static bool IsWritable(string path)
    {
        const int mayWrite = 2; // W_OK
        return access(path, mayWrite) == 0;
    }

    /// <summary>Whether something keeps the clock right, by the kernel's own opinion (https://man7.org/linux/man-pages/man2/adjtimex.2.html); <see langword="null"/> where that is not to be had.</summary>
    public static bool? IsClockKept()
    {
        if (!OperatingSystem.IsLinux())
            return null;

        // A struct timex of zeros asks for nothing to be changed; it has 208 bytes on 64-bit Linux. TIME_ERROR, 5, is what an unsynchronized clock answers.
        const int timeError = 5;
        var request = stackalloc byte[512];
        new Span<byte>(request, 512).Clear();
        var state = adjtimex(request);
        return state < 0 ? null : state != timeError;
    }

    /// <summary>read(2).</summary>
    public static nint Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
            return read(descriptor, p, (nuint)buffer.Length);
    }

    /// <summary>write(2).</summary>
    public static nint Write(int descriptor, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* p = buffer)
            return write(descriptor, p, (nuint)buffer.Length);
    }

    /// <summary>Waits until the descriptor is ready for that.</summary>
    public static void Poll(int descriptor, short events)
    {
        var request = new PollRequest { Descriptor = descriptor, Events = events };
        _ = poll(&request, 1, -1);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int access(string path, int mode);

    [LibraryImport("libc")]
    private static partial int adjtimex(byte* request);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollRequest* requests, nuint count, int milliseconds);

    [LibraryImport("libc")]
    private static partial int isatty(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int fd, byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int fd, int actions, byte* termios);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* termios);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, ushort* size);
}

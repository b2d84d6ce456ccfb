using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>The master's side of a new pseudo terminal (pty(7)).</summary>
internal sealed unsafe class PseudoTerminal
{
    private PseudoTerminal(SafeFileHandle master, string slave)
    {
        Master = master;
        SlavePath = slave;
    }

    /// <summary>The master, close-on-exec; the caller owns it.</summary>
    public SafeFileHandle Master { get; }

    /// <summary>Such as <c>/dev/pts/3</c>.</summary>
    public string SlavePath { get; }

    /// <exception cref="SpawnException">There is no pseudo terminal to be had.</exception>
    public static PseudoTerminal Open()
    {
        var fd = Libc.posix_openpt(Libc.O_RDWR | Libc.O_NOCTTY | Libc.O_CLOEXEC);
        if (fd < 0)
            throw SpawnException.Other("pseudo terminal", Marshal.GetLastPInvokeError());
        var name = stackalloc byte[64];
        if (Libc.grantpt(fd) != 0 || Libc.unlockpt(fd) != 0 || Libc.ptsname_r(fd, name, 64) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            _ = Libc.close(fd);
            throw SpawnException.Other("pseudo terminal", errno);
        }
        return new PseudoTerminal(new SafeFileHandle(fd, ownsHandle: true), Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)));
    }

    /// <summary>Sets the size of a terminal; its foreground process group gets SIGWINCH from the kernel.</summary>
    public static void Resize(SafeFileHandle master, TerminalSize size)
    {
        // struct winsize of ioctl_tty(2): rows, columns, and two sizes in pixels that nobody uses.
        var winsize = stackalloc ushort[4];
        winsize[0] = checked((ushort)size.Rows);
        winsize[1] = checked((ushort)size.Columns);
        winsize[2] = winsize[3] = 0;
        _ = Libc.ioctl(master, Libc.TIOCSWINSZ, winsize);
    }
}

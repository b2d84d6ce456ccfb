using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>
/// The descriptors that become a child's 0, 1 and 2, opened here so that a failure has a name. One that is 0 to 2 itself is copied higher first,
/// so that putting them in place one after the other cannot overwrite one that is still needed.
/// </summary>
internal sealed class StdioDescriptors : IDisposable
{
    private readonly int[] _fds = new int[3];
    private readonly List<int> _owned = [];

    public StdioDescriptors(SpawnSpec spec)
    {
        if (spec.Terminal is not null)
            return;
        try
        {
            _fds[0] = Prepare(spec.Stdin);
            _fds[1] = Prepare(spec.Stdout);
            _fds[2] = Prepare(spec.Stderr);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int this[int target] => _fds[target];

    public void Dispose()
    {
        foreach (var fd in _owned)
            _ = Libc.close(fd);
        _owned.Clear();
    }

    private int Prepare(Stdio stdio) => stdio switch
    {
        Stdio.FdTarget { Fd: > 2 } target => target.Fd,
        Stdio.FdTarget target => Own(Libc.fcntl(target.Fd, Libc.F_DUPFD_CLOEXEC, 3), $"descriptor {target.Fd}"),
        Stdio.PathTarget target => Raise(Own(Libc.open(target.Path, Flags(target.Access) | Libc.O_CLOEXEC | Libc.O_NOCTTY, 0b110_100_100), target.Path)),
        _ => throw new ArgumentException($"Unknown {nameof(Stdio)}: {stdio}.", nameof(stdio)),
    };

    /// <summary>In a process whose own 0 to 2 are closed, open returns those numbers.</summary>
    private int Raise(int fd) => fd > 2 ? fd : Own(Libc.fcntl(fd, Libc.F_DUPFD_CLOEXEC, 3), $"descriptor {fd}");

    private int Own(int fd, string what)
    {
        if (fd < 0)
            throw SpawnException.Other(what, Marshal.GetLastPInvokeError());
        _owned.Add(fd);
        return fd;
    }

    private static int Flags(StdioAccess access) => access switch
    {
        StdioAccess.Read => Libc.O_RDONLY,
        StdioAccess.ReadWrite => Libc.O_RDWR,
        _ => Libc.O_WRONLY | Libc.O_CREAT | Libc.O_APPEND,
    };
}

using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// While it is there, this process takes no huge pages, and neither will what it starts, for good: a child has that from its parent, through execve too
/// (https://man7.org/linux/man-pages/man2/PR_SET_THP_DISABLE.2const.html). Somebody else's child that is started in the same instant merely lacks them as well.
/// </summary>
internal sealed class SmallPages : IDisposable
{
    private const int Set = 41, Get = 42; // PR_SET_THP_DISABLE, PR_GET_THP_DISABLE

    private static readonly Lock Changing = new();
    private readonly bool _changed;

    internal SmallPages()
    {
        Changing.Enter();
        _changed = OperatingSystem.IsLinux() && Libc.ProcessControl(Get, 0, 0, 0, 0) == 0 && Libc.ProcessControl(Set, 1, 0, 0, 0) == 0;
    }

    public void Dispose()
    {
        if (_changed)
            _ = Libc.ProcessControl(Set, 0, 0, 0, 0);
        Changing.Exit();
    }
}

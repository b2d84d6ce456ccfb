using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// The status of a running instance: one truth, changed under a lock, written to <c>status.json</c> at each change. A start that cannot write it fails, since nobody would learn of it; what is ready runs
/// on when it cannot be written any more, and its status is written when it can be again.
/// </summary>
internal sealed class StatusBoard(InstanceFiles files, InstanceStatus first, bool keep)
{
    private readonly Lock _gate = new();
    private InstanceStatus _now = first;
    private bool _unwritten;

    /// <summary>From ready on, and at the end: then there is something to go on with that is worth more than this file.</summary>
    internal bool MayBeUnwritten { get; set; }

    internal InstanceStatus Now
    {
        get
        {
            lock (_gate)
                return _now;
        }
    }

    internal InstanceStatus Change(Func<InstanceStatus, InstanceStatus> change)
    {
        lock (_gate)
        {
            var before = _now;
            _now = change(_now);
            if (keep)
                Write();

            // Of a program's machine nothing is kept; but whoever finds its folder must be able to end what is left of it.
            else if (!ReferenceEquals(before.Processes, _now.Processes))
                InstanceStore.WriteProcesses(files, _now.Processes.Where(p => p.Key != Roles.Supervisor).Select(p => p.Value));
            return _now;
        }
    }

    /// <summary>Writes what could not be written before.</summary>
    internal void WriteAgain()
    {
        lock (_gate)
        {
            if (_unwritten)
                Write();
        }
    }

    private void Write()
    {
        try
        {
            InstanceStore.WriteStatus(files, _now);
            _unwritten = false;
        }
        catch (FaultException) when (MayBeUnwritten)
        {
            _unwritten = true;
        }
    }

    internal void SetProcess(string role, ProcessIdentity? process) => Change(status =>
    {
        var processes = new Dictionary<string, ProcessIdentity>(status.Processes);
        if (process is null)
            processes.Remove(role);
        else
            processes[role] = process;
        return status with { Processes = processes };
    });
}

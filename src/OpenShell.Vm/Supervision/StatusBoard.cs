using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary>The status of a running instance: one truth, changed under a lock, written to <c>status.json</c> at each change.</summary>
internal sealed class StatusBoard(InstanceFiles files, InstanceStatus first, bool keep)
{
    private readonly Lock _gate = new();
    private InstanceStatus _now = first;

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
                InstanceStore.WriteStatus(files, _now);

            // Of a program's machine nothing is kept; but whoever finds its folder must be able to end what is left of it.
            else if (!ReferenceEquals(before.Processes, _now.Processes))
                InstanceStore.WriteProcesses(files, _now.Processes.Where(p => p.Key != Roles.Supervisor).Select(p => p.Value));
            return _now;
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

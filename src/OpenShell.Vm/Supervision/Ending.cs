using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Supervision;

/// <summary>Why a run ends. Whatever comes first decides.</summary>
internal abstract record Ending
{
    private Ending()
    {
    }

    /// <summary>Somebody asked for it.</summary>
    internal sealed record Stopped(string ByWhom) : Ending;

    /// <summary>The program that the VM was for has ended.</summary>
    internal sealed record ProgramEnded(int ExitCode) : Ending;

    /// <summary>The guest has shut itself down in order.</summary>
    internal sealed record PoweredOff : Ending;

    /// <summary>Its memory was saved.</summary>
    /// <param name="Commit">Puts what was saved in its place, once nothing runs any more.</param>
    /// <param name="Sleep">What follows.</param>
    internal sealed record Saved(Func<Task> Commit, Sleep Sleep = Sleep.None) : Ending;

    /// <summary>It cannot go on.</summary>
    /// <param name="Fault">Why.</param>
    /// <param name="Cause">What was thrown, if it was.</param>
    /// <param name="GuestIsWell">Whether the guest itself can still be asked to power off, so that nothing on its disk is lost.</param>
    internal sealed record Lost(Fault Fault, Exception? Cause = null, bool GuestIsWell = false) : Ending;
}

/// <summary>What becomes of an instance whose memory was saved.</summary>
internal enum Sleep
{
    /// <summary>It is suspended until somebody starts it.</summary>
    None,

    /// <summary>The first who calls wakes it.</summary>
    UntilCalled,

    /// <summary>It is to be cloned, and woken then.</summary>
    ForClones,
}

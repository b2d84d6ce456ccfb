using System.Runtime.InteropServices;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>A configuration context of libkrun. Its ids count from 0, so only negative ones are invalid.</summary>
internal sealed class KrunContext : SafeHandle
{
    private readonly KrunLibrary _library;

    /// <exception cref="Faults.FaultException">A call failed.</exception>
    internal KrunContext(KrunLibrary library)
        : base(-1, ownsHandle: true)
    {
        _library = library;
        var id = library.CreateContext();
        if (id < 0)
            throw KrunFaults.CallFailed(new Creation(), id);
        SetHandle(id);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <summary>Makes one call.</summary>
    /// <exception cref="Faults.FaultException">It failed.</exception>
    internal void Invoke(KrunCall call)
    {
        var id = checked((uint)handle);

        // The start takes the context with it, also when it fails: it must not be freed again.
        if (call is KrunCall.StartEnter)
            SetHandleAsInvalid();
        var result = _library.Invoke(id, call);
        if (result < 0)
            throw KrunFaults.CallFailed(call, result);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => _library.FreeContext((uint)handle) >= 0;

    private sealed record Creation() : KrunCall("krun_create_ctx");
}

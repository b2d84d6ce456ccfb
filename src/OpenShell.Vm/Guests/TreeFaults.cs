using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

/// <summary>What can go wrong with a copy, whichever side met it.</summary>
internal static class TreeFaults
{
    /// <summary>By the code with which a stream ended, or a rule was broken.</summary>
    internal static FaultException From(MuxStreamException e) => e.Code switch
    {
        ProtocolCode.NotFound => Make("files.not-found", e, "Correct the path: in the guest it is one from '/' on."),
        ProtocolCode.Denied when e.Message.Contains("read-only", StringComparison.Ordinal) =>
            Make("files.read-only", e, "In the guest /etc, /var, /root, /home, /opt, /mnt, /srv, /tmp and /run can be written to; the rest is the image, which all instances share."),
        ProtocolCode.Denied => Make("files.refused", e, "Choose another path; --max-size takes more than fits by default."),
        ProtocolCode.InvalidRequest => Make("files.unsafe", e, "Nothing of it was written under its name. What sends such things may not be what it seems to be."),
        ProtocolCode.UnknownService => Make("files.old-guest", e, "The guest is of an older version: stop the instance and start it again."),
        ProtocolCode.Failed => Make("files.failed", e, "Nothing that is not complete has been given its name; try again."),
        _ => GuestFaults.From("copy", e),
    };

    private static FaultException Make(string code, MuxStreamException e, string remedy)
    {
        var text = GuestFaults.Clean(e.Message);
        return new(new Fault { Code = code, What = $"The copy failed: {text}{(text.EndsWith('.') ? "" : ".")}", Remedy = remedy }, e);
    }
}

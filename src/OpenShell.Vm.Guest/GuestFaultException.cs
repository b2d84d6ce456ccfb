using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest;

/// <summary>A failure that ends the boot, or the stage in which it happened; made where it is known what failed and what to do.</summary>
internal sealed class GuestFaultException : Exception
{
    /// <summary>A fault, with its cause.</summary>
    public GuestFaultException(string code, string what, string remedy, Exception? cause = null)
        : base(what + " " + remedy, cause) => Fault = new GuestFault(code, what, remedy);

    /// <summary>What the host is told.</summary>
    public GuestFault Fault { get; }

    /// <summary>Turns any failure into a fault: its own, or <c>guest.internal</c>, which is a defect of this program.</summary>
    public static GuestFault Of(Exception exception) => exception is GuestFaultException known
        ? known.Fault
        : new GuestFault(
            "guest.internal",
            $"{exception.GetType().Name}: {exception.Message}",
            "This is a defect of openshell-init; please report it with the console log.");
}

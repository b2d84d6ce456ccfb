using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

/// <summary>The failures of the agent channel, each with its remedy.</summary>
internal static class GuestFaults
{
    public static FaultException NotRunning(string socket, Exception cause) => new(new Fault
    {
        Code = "guest.not-running",
        What = $"Nothing answers on the agent socket {socket}.",
        Remedy = "Start the instance with 'gateway up', or look at 'gateway status'.",
    }, cause);

    public static FaultException HandshakeFailed(string reason, Exception cause) => new(new Fault
    {
        Code = "guest.handshake-failed",
        What = $"The handshake with the guest failed: {Clean(reason)}",
        Remedy = "If the guest was built by another version, rebuild it with 'gateway image build'; else look at 'gateway logs --source console'.",
    }, cause);

    public static FaultException ConnectionLost(string reason, Exception? cause = null) => new(new Fault
    {
        Code = "guest.connection-lost",
        What = $"The connection to the guest is lost: {Clean(reason)}",
        Remedy = "Look at 'gateway status' and 'gateway logs --source console', and try again.",
    }, cause);

    /// <summary>What became of a request by the code of its stream's end.</summary>
    public static FaultException From(string what, MuxStreamException e) => e.Code switch
    {
        ProtocolCode.TooManyStreams => Refused("guest.busy", what, e, "Try again when some of the programs and copies that run have ended."),
        ProtocolCode.InvalidRequest => Refused("guest.invalid-request", what, e, "Correct the request.", isUsage: true),
        ProtocolCode.UnknownService => Refused("guest.unknown-service", what, e, "The guest is of another version: restart the instance."),
        ProtocolCode.Unavailable => Refused("guest.unavailable", what, e, "Wait until the guest has started; 'gateway status' shows how far it is."),
        ProtocolCode.NotFound or ProtocolCode.Denied or ProtocolCode.Failed or ProtocolCode.Internal =>
            Refused("guest.request-failed", what, e, "The message above says what the guest met; 'gateway logs --source console' may say more."),
        _ => ConnectionLost(e.Message, e),
    };

    public static FaultException TooLarge(string what, Exception cause) => new(new Fault
    {
        Code = "guest.request-too-large",
        What = $"{Clean(what)}: the request is longer than the {ProtocolLimits.MaxPayload / 1024} KiB that one frame carries.",
        Remedy = "Pass less on the command line: put it into a file, or send it to stdin.",
        IsUsage = true,
    }, cause);

    /// <summary>Text from the guest is shown on terminals: without control characters it cannot drive them.</summary>
    public static string Clean(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);

    private static FaultException Refused(string code, string what, MuxStreamException e, string remedy, bool isUsage = false) =>
        new(new Fault { Code = code, What = $"{what}: {Clean(e.Message)}", Remedy = remedy, IsUsage = isUsage }, e);
}

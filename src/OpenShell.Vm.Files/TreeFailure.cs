using OpenShell.Vm.Files.Native;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Files;

/// <summary>A tree cannot be read, sent or unpacked. As a stream's error it tells the other side the same.</summary>
public static class TreeFailure
{
    /// <summary>A system call failed.</summary>
    internal static MuxStreamException Of(int error, string path, string doing)
    {
        var code = error switch
        {
            Posix.NoEntry or Posix.NotFolder => ProtocolCode.NotFound,
            Posix.AccessDenied or Posix.NotPermitted or Posix.ReadOnlySystem or Posix.TooManyLinks or Posix.IsFolder or Posix.AlreadyThere => ProtocolCode.Denied,
            _ => ProtocolCode.Failed,
        };
        var why = error switch
        {
            Posix.ReadOnlySystem => "it is on a read-only file system",
            Posix.TooManyLinks => "there is a symbolic link in the way, which is not followed",
            Posix.AlreadyThere => "something else of that name is there",
            Posix.NoSpace or Posix.OverQuota => "there is no space left",
            _ => Posix.Message(error),
        };
        return new MuxStreamException(code, $"{path}: {doing}: {why}");
    }

    /// <summary>What was sent breaks a rule.</summary>
    internal static MuxStreamException Refused(string why) => new(ProtocolCode.InvalidRequest, why);

    /// <summary>What was sent is more than its receiver takes.</summary>
    internal static MuxStreamException TooMuch(string why) => new(ProtocolCode.Denied, why);
}

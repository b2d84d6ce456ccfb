using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Copying;

/// <summary>What <c>gateway cp</c> is to do.</summary>
/// <param name="Instance">The instance.</param>
/// <param name="IntoGuest">Which way.</param>
/// <param name="GuestPath">Absolute.</param>
/// <param name="LocalPath">As it was written, or <c>-</c>.</param>
internal sealed record CopyRequest(string Instance, bool IntoGuest, string GuestPath, string LocalPath)
{
    private const string Form = "Write gateway cp FILE INSTANCE:/PATH or gateway cp INSTANCE:/PATH FILE; ':/PATH' is in the instance 'default'.";

    public bool FollowLink { get; init; }

    public long? MaxSize { get; init; }

    /// <summary>Whether the local end is a tar archive on a stream.</summary>
    public bool IsArchive => LocalPath == "-";

    /// <summary>Reads both ends; adds a fault when exactly one must be in a guest and is not.</summary>
    public static CopyRequest? Read(string source, string destination, ICollection<Fault> faults)
    {
        var from = Remote(source);
        var to = Remote(destination);
        var remote = from ?? to;
        if (from is null == to is null)
        {
            faults.Add(UsageFaults.Make(
                from is null ? $"Neither '{ValueFaults.Printable(source)}' nor '{ValueFaults.Printable(destination)}' is in an instance." : "Both paths are in an instance.",
                from is null ? Form : "Copy to this machine first, or pass a tar archive on: gateway cp A:/PATH - | gateway cp - B:/PATH"));
            return null;
        }

        var (instance, path) = remote!.Value;
        if (instance.Length > 0 && !InstanceName.TryParse(instance, out _, out var fault))
            faults.Add(fault);
        if (!path.StartsWith('/'))
            faults.Add(ValueFaults.Make("cp", from is null ? destination : source, "the path in the guest is not absolute", Form));
        var local = from is null ? source : destination;
        if (local.Length == 0)
            faults.Add(ValueFaults.Make("cp", local, "the path on this machine is empty", Form));
        return faults.Count > 0 ? null : new CopyRequest(instance.Length > 0 ? instance : InstanceName.Default, from is null, path, local);
    }

    /// <summary>As docker tells them apart: a colon before the first slash, and not a path that begins as one.</summary>
    private static (string Instance, string Path)? Remote(string text)
    {
        var at = text.IndexOf(':', StringComparison.Ordinal);
        return at < 0 || text.StartsWith('/') || text.StartsWith('.') || text.AsSpan(0, at).Contains('/') ? null : (text[..at], text[(at + 1)..]);
    }
}

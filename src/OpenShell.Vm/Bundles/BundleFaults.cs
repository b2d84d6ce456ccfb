using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Bundles;

/// <summary>What can be wrong with a bundle.</summary>
internal static class BundleFaults
{
    private const string Again = "Copy the bundle anew from where it was made, or make another with 'gateway bundle create'.";

    internal static Fault Damaged(string what) => Make("damaged", what, Again);

    internal static FaultException Unreadable(string path, string why, Exception? cause = null) =>
        new(Make("unreadable", $"{path} cannot be read as a bundle: {why}.", "Give the path of a file that 'gateway bundle create' made."), cause);

    internal static FaultException NoFile(string path, string why) =>
        new(Make("no-file", $"{path} is no bundle: {why}.", "Give the path of a file that 'gateway bundle create' made.") with { IsUsage = true });

    internal static FaultException Missing(string path) => new(Make("missing", $"There is no bundle {path}.", "Check the path.") with { IsUsage = true });

    internal static Fault NewerFormat(string path, int format) => Make(
        "newer-format", $"{path} has the format {format}, as {BundleNames.Manifest} in it says, and this program reads up to {BundleManifest.CurrentFormat}.", $"Use the command that is in the bundle: tar -xf {path} {BundleNames.Command}");

    internal static Fault OtherArchitecture(string path, string bundle, string host) => Make(
        "other-architecture", $"{path} is for {bundle}, and this machine is {host}.", $"Make a bundle on a machine that is {host}.");

    internal static FaultException ArtifactGone(string artifact) => new(Make(
        "artifact-gone", $"The image cache no longer has {artifact}, which a bundle brought.", "Start with 'gateway up --bundle FILE' again; it is put back."));

    internal static Fault Make(string code, string what, string remedy) => new() { Code = "bundle." + code, What = what, Remedy = remedy };
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Images.Cache;

/// <summary>The failures of this room that several places can meet.</summary>
internal static class ImageFaults
{
    public const string BuildCommand = "gateway image build";

    public static FaultException Make(string code, string what, string remedy, string? log = null, Exception? cause = null) =>
        new(new Fault { Code = code, Stage = BootStages.Image, What = what, Remedy = remedy, Log = log }, cause);

    /// <summary>What the user named cannot be used.</summary>
    public static Fault Usage(string code, string what, string remedy) =>
        new() { Code = code, Stage = BootStages.Image, What = what, Remedy = remedy, IsUsage = true };

    public static Fault Corrupt(string file, string how, string? setAside) => new()
    {
        Code = "image.artifact-corrupt",
        Stage = BootStages.Image,
        What = $"The cached file {file} is not as it was built: {how}.",
        Remedy = setAside is null
            ? $"Run '{BuildCommand}' to set it aside and build it again."
            : $"It was set aside as {setAside}; run '{BuildCommand}' to build it again.",
    };

    public static FaultException NoSpace(string folder, long needed, long available, Exception? cause = null) => Make(
        "image.no-space",
        $"{folder} has {available / (1 << 20)} MiB free; building needs about {needed / (1 << 20)} MiB.",
        $"Free some space there, run 'gateway image prune --build-caches', or set XDG_CACHE_HOME to a folder on a larger disk.",
        cause: cause);

    public static FaultException NotWritable(string folder, Exception cause) => Make(
        "image.cache-not-writable",
        $"The image cache {folder} cannot be written: {cause.Message}",
        "Give yourself write access to it, or set XDG_CACHE_HOME to a folder that you can write.",
        cause: cause);
}

using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>The golden image of an instance of default shape: baked, if there is none.</summary>
internal static class GoldenCopy
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(45);

    public static async Task<GoldenFiles> BakeAsync(BenchContext context)
    {
        var (_, elapsed) = await HostProgram.RunAsync(HostProgram.Command, ["image", "bake", "--quiet"], Limit, context.Home.WithGolden);
        var image = await context.Instances.FindGoldenAsync(new InstanceConfig { Name = "bench" })
            ?? throw new BenchException("The command has baked a golden image that the library does not find.");
        context.Say(FormattableString.Invariant($"  golden image {image.Hash}: {image.Bytes >> 20} MiB, {image.MemoryBytes >> 20} of them memory; there after {elapsed.TotalSeconds:0.0} s"));
        await GoldenBaker.WarmAsync(new GoldenFiles(image.Folder), CancellationToken.None);
        return new GoldenFiles(image.Folder);
    }
}

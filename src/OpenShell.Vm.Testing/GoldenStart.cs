using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Testing;

/// <summary>Sees to it that there is a golden image of what a test asks for: baked once per process and configuration, however many ask at once. Between processes the library's own lock does the same.</summary>
internal static class GoldenStart
{
    /// <summary>Faults that say: there can be none here. The cluster boots then; every other fault is the test's.</summary>
    private static readonly string[] NotHere = ["snapshot.unsupported", "golden.no-images", "golden.no-space"];

    private static readonly SharedWork<string, string?> Done = new();

    /// <summary>Why a cluster has to boot; <see langword="null"/>: it can begin as a copy.</summary>
    public static async Task<string?> WhyNoneAsync(LocalInstances instances, InstanceConfig config, TestClusterOptions options, CancellationToken cancellationToken)
    {
        if (!instances.Options.UsesGolden)
            return "golden images are switched off (TestClusterOptions.UsesGolden, OPENSHELL_VM_GOLDEN)";
        return await Done.GetAsync(KeyOf(instances, config, options), token => EnsureAsync(instances, config, options, token), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The image is not there any more: somebody has removed it.</summary>
    public static void Forget(LocalInstances instances, InstanceConfig config, TestClusterOptions options) => Done.Forget(KeyOf(instances, config, options));

    private static async Task<string?> EnsureAsync(LocalInstances asked, InstanceConfig config, TestClusterOptions options, CancellationToken cancellationToken)
    {
        // A folder of its own: whoever asked first may have given up, and removed theirs, while others still wait.
        using var folder = options.Directories is null ? TestFolder.Create() : null;
        var instances = folder is null ? asked : new LocalInstances(asked.Options with { Directories = folder.Directories });
        try
        {
            if (options.Bakes)
                await instances.BakeAsync(config, new BakeLog(options.Log), cancellationToken).ConfigureAwait(false);
            else if (await instances.FindGoldenAsync(config, cancellationToken).ConfigureAwait(false) is not { } image)
                return "no golden image of it is baked, and none is to be (TestClusterOptions.Bakes)";
            else if (image.Fault is { } fault)
                return fault.What;
            return null;
        }
        catch (FaultException e) when (NotHere.Contains(e.Faults[0].Code))
        {
            return e.Faults[0].What;
        }
    }

    /// <summary>All that makes a difference, with the state of the files that are given along: one that was changed since makes another image.</summary>
    internal static string KeyOf(LocalInstances instances, InstanceConfig config, TestClusterOptions options)
    {
        var files = (config.Workload is { } workload ? workload.Manifests.Concat(workload.Images).Concat(workload.Charts) : []).Concat(config.CertificateAuthorities).SelectMany(FilesOf).Select(Stamp);
        var shape = JsonSerializer.Serialize(config with { Name = "any", Ports = [], AddedPorts = [], GatewayPort = null, Timeout = null });
        return string.Join('\n', [instances.Options.Directories.Cache, options.Bakes.ToString(), shape, .. files]);
    }

    private static IEnumerable<string> FilesOf(string path) => Directory.Exists(path) ? Directory.EnumerateFiles(path).Order(StringComparer.Ordinal) : [path];

    private static string Stamp(string path) => new FileInfo(path) is { Exists: true } file
        ? string.Create(CultureInfo.InvariantCulture, $"{path} {file.Length} {file.LastWriteTimeUtc.Ticks}")
        : path;

    /// <summary>Says that a bake has begun when it has: one that finds an image tells nothing.</summary>
    private sealed class BakeLog(Action<string> log) : IProgress<TimelineEvent>
    {
        private bool _begun;

        public void Report(TimelineEvent value)
        {
            if (!_begun)
            {
                _begun = true;
                log("TestCluster: no golden image of this kind of cluster is baked yet. It is now, which boots a cluster once and takes a minute or two under software emulation; later ones are copies of it.");
            }

            if (value.State is StageState.Completed or StageState.Failed && !value.Stage.Contains('/', StringComparison.Ordinal))
                log(string.Create(CultureInfo.InvariantCulture, $"TestCluster: bake {value.Elapsed.TotalSeconds:0.0} s: {value.Stage} {(value.State == StageState.Failed ? "failed: " + value.Detail : "done")}"));
        }
    }
}

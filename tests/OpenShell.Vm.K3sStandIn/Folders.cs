using OpenShell.Vm.Guest;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.K3sStandIn;

/// <summary>The folders that k3s watches: https://docs.k3s.io/installation/packaged-components#auto-deploying-manifests-addons and https://docs.k3s.io/installation/airgap</summary>
internal sealed class Folders(Layout layout, string programs, Tool tool)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2), Patience = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, (long, DateTime)> _seen = [];

    /// <summary>Imports what is new in agent/images. One that is no archive of images is said, and left.</summary>
    public async Task ImportAsync()
    {
        foreach (var file in New(layout.Images).Where(f => f.EndsWith(".tar", StringComparison.Ordinal) || f.EndsWith(".tar.zst", StringComparison.Ordinal) || f.EndsWith(".tar.gz", StringComparison.Ordinal)))
        {
            var result = await tool.RunAsync("ctr", Patience, programs + "/ctr", "--address", Layout.ContainerdSocket, "--namespace", "k8s.io", "images", "import", file).ConfigureAwait(false);
            Console.WriteLine(result.IsSuccess ? $"Imported images from {file}" : $"Error encountered while importing {file}: {result}");
        }
    }

    /// <summary>Applies what is new in server/manifests.</summary>
    public async Task ApplyAsync(ApiClient api, CancellationToken cancellationToken)
    {
        var applier = new ManifestApplier(api);
        foreach (var file in New(layout.Manifests).Where(f => Path.GetExtension(f) is ".yaml" or ".yml" or ".json"))
        {
            try
            {
                var documents = ManifestReader.Read(Path.GetFileName(file), await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false));
                await applier.ApplyAsync(documents, cancellationToken).ConfigureAwait(false);
                Console.WriteLine($"Applied {file}");
            }
            catch (Exception e) when (e is GuestFaultException or ManifestException)
            {
                Console.WriteLine($"Failed to process config: {file}: {e.Message}");
            }
        }
    }

    /// <summary>Goes on looking at both.</summary>
    public async Task WatchAsync(ApiClient api, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(LookEvery, cancellationToken).ConfigureAwait(false);
            await ImportAsync().ConfigureAwait(false);
            await ApplyAsync(api, cancellationToken).ConfigureAwait(false);
        }
    }

    // Through links, as k3s opens them.
    private List<string> New(string folder)
    {
        var files = new List<string>();
        foreach (var file in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            var info = File.ResolveLinkTarget(file, returnFinalTarget: true) as FileInfo ?? new FileInfo(file);
            var now = (info.Length, info.LastWriteTimeUtc);
            if (_seen.TryGetValue(file, out var before) && before == now)
                continue;
            _seen[file] = now;
            files.Add(file);
        }

        return files;
    }
}

using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>
/// The read-only root image: the guest's Debian, our init, kernel modules, and for a cluster Kubernetes, container images and manifests, as one
/// squashfs. It is streamed as a tar into sqfstar, so that no file is unpacked and no root is needed. Format and compression: docs/adr/0020-root-image-format.md.
/// </summary>
internal sealed class RootRecipe : Recipe
{
    public const string Image = "root.squashfs";
    public const string ClusterName = "root", ProgramName = "root-program", PlainName = "root-plain", K3sName = "root-k3s";
    private const string ModuleList = "images/root/modules.list", ManifestFolder = "images/manifests", ImageFolder = "usr/share/openshell/images/";

    // What k3s's own installer links: its one program is also these (https://docs.k3s.io/installation/configuration, INSTALL_K3S_SYMLINK).
    private static readonly string[] K3sTools = ["kubectl", "crictl", "ctr"];

    private readonly string? _distribution;

    private readonly bool _isPlain;

    private RootRecipe(string? distribution, bool isPlain = false) => (_distribution, _isPlain) = (distribution, isPlain);

    /// <summary>For clusters of upstream's (and good for single programs too).</summary>
    public static RootRecipe Cluster { get; } = new(Distributions.Upstream.DistributionName);

    /// <summary>For clusters of k3s's.</summary>
    public static RootRecipe K3s { get; } = new(Distributions.K3s.DistributionName);

    /// <summary>For single programs: without what takes minutes to build.</summary>
    public static RootRecipe Program { get; } = new(null);

    /// <summary>Without this project's programs: Debian, and the kernel's modules.</summary>
    public static RootRecipe Plain { get; } = new(null, isPlain: true);

    public override string Kind => _distribution switch
    {
        null when _isPlain => PlainName,
        null => ProgramName,
        Distributions.K3s.DistributionName => K3sName,
        _ => ClusterName,
    };

    public override string Title => _distribution switch
    {
        null when _isPlain => "Root image without the guest program",
        null => "Root image without Kubernetes",
        Distributions.K3s.DistributionName => "Root image with k3s",
        _ => "Root image",
    };

    private bool IsK3s => _distribution == Distributions.K3s.DistributionName;

    private string Debian => IsK3s ? DebianRootRecipe.K3sName : DebianRootRecipe.Name;

    public override int Revision => 3;

    public override long SpaceNeeded => 1000L << 20;

    public override IReadOnlyList<string> Needs => _isPlain ? [Debian, KernelRecipe.Name] : _distribution is null
        ? [Debian, KernelRecipe.Name, GuestRecipe.Name]
        : [Debian, KernelRecipe.Name, GuestRecipe.Name, IsK3s ? K3sRecipe.Name : KubernetesRecipe.Name, WorkloadRecipe.Name];

    public override IReadOnlyList<string> Sources => _distribution is not null ? [InitramfsRecipe.ModuleList, ModuleList, ManifestFolder] : [InitramfsRecipe.ModuleList, ModuleList];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var debian = context.Input(Debian, DebianRootRecipe.Tar);
        var total = new FileInfo(debian).Length;
        await context.Tools.RunAsync(
            await BootstrapMode.AsRootAsync(SquashCommand(context.Output(Image)), context.Tools, cancellationToken).ConfigureAwait(false),
            async (stdin, token) =>
            {
                await using var root = new RootTar(stdin);
                await root.AddBaseAsync(debian, done => context.Progress.Running("composing", 0.8 * done / total), token).ConfigureAwait(false);
                await AddOursAsync(context, root, token).ConfigureAwait(false);
            },
            (stdout, token) => stdout.CopyToAsync(Stream.Null, token),
            cancellationToken).ConfigureAwait(false);
        return $"squashfs, {new FileInfo(context.Output(Image)).Length >> 20} MiB";
    }

    /// <summary>What makes the image; every argument has its reason.</summary>
    internal static ToolCommand SquashCommand(string output) => new()
    {
        Program = "sqfstar",
        Arguments =
        [
            "-quiet", "-no-progress",
            // What cannot be read or written is a failure, not a warning.
            "-exit-on-error",
            // Equal contents, equal bytes.
            "-mkfs-time", "0", "-all-time", "0", "-reproducible",
            // The tar's own entry for the root is not looked at; its owner is who runs this (4.5.1 takes -root-uid, and does nothing with it).
            "-root-mode", "755",
            // Half the size of no compression, and no slower to read, even emulated (docs/adr/0020-root-image-format.md).
            "-comp", "lz4", "-b", "128K",
            output,
        ],
    };

    private async Task AddOursAsync(BuildContext context, RootTar root, CancellationToken cancellationToken)
    {
        foreach (var folder in (string[])["dev", "proc", "sys", "run", "tmp", "etc", "var", "root", "home", "opt", "mnt", "srv", "boot"])
            await root.AddFolderAsync(folder, cancellationToken).ConfigureAwait(false);

        // Debian is merged: /sbin and /lib are links into /usr, and a tar cannot go through them.
        if (!_isPlain)
            await root.AddFileAsync("usr/sbin/openshell-init", context.Input(GuestRecipe.Name, GuestRecipe.Program), executable: true, cancellationToken).ConfigureAwait(false);
        using (var modules = KernelModules.Open(context))
        {
            await root.AddTarAsync(context.Input(KernelRecipe.Name, KernelRecipe.Modules), "usr/", cancellationToken).ConfigureAwait(false);
            await root.AddFileAsync("boot/config-" + modules.Release, context.Input(KernelRecipe.Name, KernelRecipe.Configuration), executable: false, cancellationToken).ConfigureAwait(false);
            var first = modules.LoadOrder(context.Source.List(InitramfsRecipe.ModuleList), InitramfsRecipe.ModuleList);
            var later = modules.LoadOrder(context.Source.List(ModuleList), ModuleList).Except(first);
            var list = string.Concat(later.Select(m => $"/{modules.Folder}/{m}\n"));
            await root.AddTextAsync("usr/share/openshell/modules.list", list, cancellationToken).ConfigureAwait(false);
        }

        if (_distribution is null)
            return;
        context.Progress.Running("Kubernetes", 0.85);
        await (IsK3s ? AddK3sAsync(context, root, cancellationToken) : AddUpstreamAsync(context, root, cancellationToken)).ConfigureAwait(false);
        foreach (var archive in (string[])[WorkloadRecipe.PauseArchive, WorkloadRecipe.GatewayArchive])
            await root.AddFileAsync(ImageFolder + archive, context.Input(WorkloadRecipe.Name, archive), executable: false, cancellationToken).ConfigureAwait(false);
        foreach (var manifest in context.Source.Files([ManifestFolder]))
            await root.AddFileAsync("usr/share/openshell/manifests/" + Path.GetFileName(manifest), context.Source.PathOf(manifest), executable: false, cancellationToken).ConfigureAwait(false);
        context.Progress.Running("compressing", 0.95);
    }

    private static async Task AddUpstreamAsync(BuildContext context, RootTar root, CancellationToken cancellationToken)
    {
        await root.AddFileAsync("usr/lib/openshell/kubernetes", context.Input(KubernetesRecipe.Name, KubernetesRecipe.Program), executable: true, cancellationToken).ConfigureAwait(false);
        foreach (var component in KubernetesRecipe.Components)
            await root.AddLinkAsync("usr/lib/openshell/" + component, "kubernetes", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The guest links the archive to where k3s looks for it; in the image it lies with the others.</summary>
    private static async Task AddK3sAsync(BuildContext context, RootTar root, CancellationToken cancellationToken)
    {
        await root.AddFileAsync("usr/local/bin/k3s", context.Input(K3sRecipe.Name, K3sRecipe.Program), executable: true, cancellationToken).ConfigureAwait(false);
        foreach (var tool in K3sTools)
            await root.AddLinkAsync("usr/local/bin/" + tool, "k3s", cancellationToken).ConfigureAwait(false);
        foreach (var images in new[] { K3sRecipe.Images, K3sRecipe.PlainImages }.Where(i => File.Exists(context.Input(K3sRecipe.Name, i))))
            await root.AddFileAsync(ImageFolder + images, context.Input(K3sRecipe.Name, images), executable: false, cancellationToken).ConfigureAwait(false);
    }
}

using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>Kubernetes' five server components as one program, from Debian's source package. Minutes long, so an interrupted build goes on where it was.</summary>
internal sealed class KubernetesRecipe : Recipe
{
    public const string Name = "kubernetes", Program = "kubernetes";
    private const string PackageList = "images/kubernetes/packages.list", OpenApiList = "images/kubernetes/openapi-packages.list", Main = "images/kubernetes/main.go", Patches = "images/kubernetes/patches";

    /// <summary>The components, each a link to the program.</summary>
    public static readonly IReadOnlyList<string> Components = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

    public override string Kind => Name;

    public override string Title => "Kubernetes from source";

    public override int Revision => 1;

    // Sources 300 MB, Go's build cache 1.4 GB, the program 140 MB.
    public override long SpaceNeeded => 2500L << 20;

    public override IReadOnlyList<string> Sources => [PackageList, OpenApiList, Main, Patches];

    public override PackageRequest Packages(RecipeFacts facts) => new()
    {
        Name = Name,
        Suite = RecipeFacts.Suite,
        Packages = facts.Source.List(PackageList),
        Scope = PackageScope.Source,
        // Sources are the same for every processor, and so is their version.
        Architecture = facts.HostArchitecture,
    };

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var locked = context.Locked(this);
        var (work, guard) = await context.EnterWorkAsync(Name, cancellationToken).ConfigureAwait(false);
        using (guard)
        {
            var patches = context.Source.Files([Patches]).Where(file => file.EndsWith(".patch", StringComparison.Ordinal)).Select(context.Source.PathOf);
            var tree = new KubernetesTree(context, work, locked, [.. patches]);
            await tree.UnpackAsync(cancellationToken).ConfigureAwait(false);
            await tree.PatchAsync(cancellationToken).ConfigureAwait(false);
            await tree.GenerateOpenApiAsync(context.Source.List(OpenApiList), cancellationToken).ConfigureAwait(false);
            tree.AddMain(context.Source.PathOf(Main));
            await tree.CompileAsync(context.Output(Program), cancellationToken).ConfigureAwait(false);
            return $"{tree.Version} (Debian {locked.Packages[0].Version})";
        }
    }
}

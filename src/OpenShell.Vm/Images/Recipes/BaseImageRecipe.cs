using System.Globalization;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Layers;
using OpenShell.Vm.Images.Registry;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>The guest's system out of a container image: in the place of <see cref="DebianRootRecipe"/>, and with the same kind of tar, so that all that is made of it need not know (docs/adr/0043-a-base-image-in-place-of-packages.md).</summary>
internal sealed class BaseImageRecipe : Recipe
{
    public override string Kind => DebianRootRecipe.Name;

    public override string Title => "Root file system of a base image";

    public override int Revision => 1;

    // Layers as they are kept, unpacked, and the tar of them all.
    public override long SpaceNeeded => 1500L << 20;

    public override bool TakesBaseImage => true;

    public override IReadOnlyList<RecipeInput> Inputs(RecipeFacts facts) =>
    [
        new("base image for", facts.Base!.Purpose),
        .. facts.Source.Inputs(BaseImageContents.Lists(facts.Base.Purpose)),
    ];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var wanted = context.Facts.Base!;
        using var content = context.Content(wanted.Source);
        var (manifest, configuration) = await ImageResolver.ReadAsync(content, context.BaseImage, context.Facts.Architecture, cancellationToken).ConfigureAwait(false);
        var layers = await UnpackAsync(context, content, manifest, configuration, cancellationToken).ConfigureAwait(false);

        context.Progress.Running("applying layers", 0.8);
        var tree = new LayerTree(content.Image);
        for (var layer = 0; layer < layers.Count; layer++)
            tree.Apply(layers[layer], layer, cancellationToken);
        BaseImageContents.Check(content.Image, tree, wanted.Purpose, context.Source);
        foreach (var path in BaseImageContents.RemoveOurs(tree))
            context.Note($"/{path} of the base image is left out: it has a part of this project's there, or none");

        await using (var output = File.Create(context.Output(DebianRootRecipe.Tar)))
        {
            var total = layers.Sum(l => new FileInfo(l).Length);
            await LayerTar.WriteAsync(tree, output, done => context.Progress.Running("writing the archive", 0.85 + (0.15 * done / total)), cancellationToken).ConfigureAwait(false);
        }

        var packages = BaseImagePackages.Read(tree);
        context.NotePackages(packages);
        return string.Create(CultureInfo.InvariantCulture, $"{BaseImagePackages.Describe(tree)}, {packages.Count} packages, of the base image {context.BaseImage.Digest}");
    }

    private static async Task<IReadOnlyList<string>> UnpackAsync(
        BuildContext context, ImageContent content, ManifestDocument manifest, ImageConfiguration configuration, CancellationToken cancellationToken)
    {
        var folder = context.Scratch("layers");
        var paths = new List<string>();
        var (total, done, unpacked) = (Math.Max(1, manifest.Layers!.Sum(l => l.Size)), 0L, 0L);
        for (var i = 0; i < manifest.Layers!.Count; i++)
        {
            var layer = manifest.Layers[i];
            var title = $"layer {i + 1} of {manifest.Layers.Count}";
            await using var kept = await content.OpenAsync(layer, bytes => context.Progress.Running($"{title}: {(done + bytes) >> 20} of {total >> 20} MiB", 0.7 * (done + bytes) / total, done + bytes), cancellationToken).ConfigureAwait(false);
            context.Progress.Running(title + ": unpacking", 0.7 * (done + layer.Size) / total);
            var path = Path.Combine(folder, i.ToString(CultureInfo.InvariantCulture) + ".tar");
            unpacked += await LayerUnpacker.UnpackAsync(content.Image, kept, configuration.RootFs!.DiffIds![i], path, RegistryLimits.Unpacked - unpacked, context.Tools, cancellationToken).ConfigureAwait(false);
            done += layer.Size;
            paths.Add(path);
        }

        return paths;
    }
}

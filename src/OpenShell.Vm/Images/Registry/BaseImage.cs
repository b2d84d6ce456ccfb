using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Registry;

/// <summary>The container image that the guest's system is taken from, in place of packages.</summary>
/// <param name="Source">Where it is.</param>
internal sealed record BaseImage(BaseImageSource Source)
{
    /// <summary>What is to run in it, and so what must be in it: a name of <see cref="Recipes.BaseImageContents"/>.</summary>
    public string Purpose { get; init; } = Recipes.BaseImageContents.Upstream;

    /// <summary>The manifest of an image on this machine, which is looked at whenever it is used; <see langword="null"/>: it is in a registry, and its tag is resolved once.</summary>
    public Descriptor? Local { get; init; }

    /// <summary>Looks at what the user named. Asks no registry.</summary>
    /// <exception cref="Faults.FaultException">It names no image, or an image on this machine is not there or not for the processor.</exception>
    public static async Task<BaseImage> ReadAsync(string text, string architecture, CacheLayout layout, CancellationToken cancellationToken)
    {
        var source = BaseImageSource.Parse(text);
        if (source is BaseImageSource.InRegistry)
            return new BaseImage(source);
        using var content = ImageContent.Open(source, layout);
        return new BaseImage(source) { Local = await ImageResolver.ResolveAsync(content, architecture, cancellationToken).ConfigureAwait(false) };
    }
}

/// <summary>A tag of a registry as it was resolved: until a refresh, the image is the one of this digest.</summary>
internal sealed record BaseImageLock
{
    /// <summary>What was asked for.</summary>
    public required string Reference { get; init; }

    /// <summary>The processor whose image it is.</summary>
    public required string Architecture { get; init; }

    /// <summary>The digest of its manifest.</summary>
    public required string Digest { get; init; }

    /// <summary>Bytes of the manifest.</summary>
    public required long Size { get; init; }

    /// <summary>The manifest's type.</summary>
    public required string MediaType { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset ResolvedAt { get; init; }

    /// <summary>The name of the file that holds it.</summary>
    public static string NameOf(BaseImageSource source, string architecture) =>
        "base-image-" + Keys.Hash([new RecipeInput("reference", source.ToString()), new RecipeInput("architecture", architecture)])[..16];

    /// <summary>What leads to the manifest.</summary>
    public Descriptor Manifest => new() { MediaType = MediaType, Digest = Digest, Size = Size };
}

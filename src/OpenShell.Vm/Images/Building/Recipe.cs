using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Images.Building;

/// <summary>
/// How one kind of artifact is made. All but <see cref="BuildAsync"/> is data: from it follow the artifact's content address, what must be built or
/// fetched first, and what is said about it. Adding one is a file and a line in <see cref="RecipeCatalog"/>.
/// </summary>
internal abstract class Recipe
{
    /// <summary>The artifact's kind, also its folder in the cache.</summary>
    public abstract string Kind { get; }

    /// <summary>For the display.</summary>
    public abstract string Title { get; }

    /// <summary>Raised whenever this file changes what comes out.</summary>
    public abstract int Revision { get; }

    /// <summary>About how many bytes the build needs on the cache's disk, leftovers for later builds included.</summary>
    public abstract long SpaceNeeded { get; }

    /// <summary>Kinds of the artifacts that go in.</summary>
    public virtual IReadOnlyList<string> Needs => [];

    /// <summary>Files and folders of the source tree that go in, relative to its root.</summary>
    public virtual IReadOnlyList<string> Sources => [];

    /// <summary>Whether .NET code is compiled natively.</summary>
    public virtual bool CompilesDotNet => false;

    /// <summary>Whether it does not depend on the guest's processor: it is for the host, or is for a processor of its own.</summary>
    public virtual bool IsOfHost => false;

    /// <summary>What else determines the content.</summary>
    public virtual IReadOnlyList<Cache.RecipeInput> Inputs(RecipeFacts facts) => [];

    /// <summary>Whether it is made of the base image of <see cref="RecipeFacts.Base"/>.</summary>
    public virtual bool TakesBaseImage => false;

    /// <summary>What of Debian goes in.</summary>
    public virtual PackageRequest? Packages(RecipeFacts facts) => null;

    /// <summary>Makes the artifact's files in <see cref="BuildContext.Folder"/> and returns what it is, for a person (a version).</summary>
    public abstract Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken);
}

/// <summary>What recipes are evaluated against.</summary>
/// <param name="Source">This project's source tree.</param>
/// <param name="Architecture">Debian's name of the guest's processor architecture: <c>amd64</c>, <c>arm64</c>.</param>
internal sealed record RecipeFacts(SourceTree Source, string Architecture)
{
    /// <summary>The k3s that the user has brought; <see langword="null"/>: the pinned release.</summary>
    public GivenK3s? K3s { get; init; }

    /// <summary>The container image that the guest's system is taken from; <see langword="null"/>: it is made of Debian's packages.</summary>
    public Registry.BaseImage? Base { get; init; }

    /// <summary>Debian's name of the processor architecture of the machine that builds.</summary>
    public string HostArchitecture { get; init; } = Architectures.Host;

    /// <summary>Whether the guest's programs cannot be run here.</summary>
    public bool IsForeign => Architecture != HostArchitecture;

    /// <summary>What the names of a compiler's programs for the guest begin with; empty: the host's own.</summary>
    public string CrossPrefix => IsForeign ? Architectures.CrossPrefix(Architecture) : "";

    /// <summary>The release of Debian that the guest is made of.</summary>
    public const string Suite = "bookworm";

    /// <summary>.NET's run-time identifier of the guest.</summary>
    public string RuntimeIdentifier => Architecture == Architectures.Arm64 ? "linux-arm64" : "linux-x64";

    /// <summary>What a recipe is evaluated against.</summary>
    public RecipeFacts For(Recipe recipe) => recipe.IsOfHost ? this with { Architecture = HostArchitecture } : this;
}

using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>gvproxy, the user-space network, unpacked from Debian 13's package for hosts that have none: it needs only a libc of Debian 12.</summary>
internal sealed class GvproxyRecipe : Recipe
{
    public const string Name = "gvproxy", Program = "gvproxy";

    public override string Kind => Name;

    public override string Title => "gvproxy";

    public override int Revision => 1;

    public override bool IsOfHost => true;

    public override long SpaceNeeded => 60L << 20;

    // Debian 12 has no package of it.
    public override PackageRequest Packages(RecipeFacts facts) => new()
    {
        Name = Name,
        Suite = "trixie",
        Packages = ["gvproxy"],
        Scope = PackageScope.Alone,
        Architecture = facts.Architecture,
    };

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var package = context.Locked(this).Packages.Single();
        var unpacked = context.Scratch("package");
        await context.UnpackAsync(package, unpacked, cancellationToken).ConfigureAwait(false);
        File.Move(Path.Combine(unpacked, "usr/bin/gvproxy"), context.Output(Program));
        return $"Debian {package.Version}";
    }
}

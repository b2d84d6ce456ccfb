using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Debian;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>libkrunfw as Debian has it, in unstable only: what our own kernel is compared with. It needs nothing but a libc.</summary>
internal sealed class StockFirmwareRecipe : Recipe
{
    public const string Name = "libkrunfw-stock", Library = KrunFirmwareWriter.FileName;

    public override string Kind => Name;

    public override string Title => "Debian's libkrunfw";

    public override int Revision => 1;

    public override bool IsOfHost => true;

    public override long SpaceNeeded => 80L << 20;

    public override PackageRequest Packages(RecipeFacts facts) => new()
    {
        Name = Name,
        Suite = "sid",
        Packages = ["libkrunfw5"],
        Scope = PackageScope.Alone,
        Architecture = facts.Architecture,
    };

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var package = context.Locked(this).Packages.Single();
        var unpacked = context.Scratch("package");
        await context.UnpackAsync(package, unpacked, cancellationToken).ConfigureAwait(false);

        // Under its full version; the short name is a link to it.
        var library = Directory.EnumerateFiles(Path.Combine(unpacked, "usr/lib"), Library + ".*", SearchOption.AllDirectories).Single(f => new FileInfo(f).LinkTarget is null);
        File.Move(library, context.Output(Library));
        return $"{package.Version} (Debian)";
    }
}

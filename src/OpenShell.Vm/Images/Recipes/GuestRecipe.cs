using OpenShell.Vm.Images.Building;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>openshell-init, compiled natively.</summary>
internal sealed class GuestRecipe : Recipe
{
    public const string Name = "guest", Program = "openshell-init";

    public override string Kind => Name;

    public override string Title => "Guest program";

    public override int Revision => 2;

    public override long SpaceNeeded => 500L << 20;

    public override bool CompilesDotNet => true;

    public override IReadOnlyList<string> Sources => [.. NativeProgram.BuildFiles, "src/OpenShell.Vm.Guest", "src/OpenShell.Vm.Files", "src/OpenShell.Vm.Pki", "src/OpenShell.Vm.Protocol"];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var size = await NativeProgram.BuildAsync(context, "src/OpenShell.Vm.Guest", Sources, Program, cancellationToken).ConfigureAwait(false);
        return $"{context.Toolchain.Framework}, {size >> 10} KiB";
    }
}

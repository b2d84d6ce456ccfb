using OpenShell.Vm.Images.Building;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>The gateway that runs in the cluster, compiled natively.</summary>
internal sealed class GatewayRecipe : Recipe
{
    public const string Name = "gateway", Program = "openshell-gateway";

    public override string Kind => Name;

    public override string Title => "Gateway program";

    public override int Revision => 2;

    public override long SpaceNeeded => 700L << 20;

    public override bool CompilesDotNet => true;

    public override IReadOnlyList<string> Sources => [.. NativeProgram.BuildFiles, "src/OpenShell.Gateway", "src/OpenShell.Vm.Pki", "proto"];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var size = await NativeProgram.BuildAsync(context, "src/OpenShell.Gateway", Sources, Program, cancellationToken).ConfigureAwait(false);
        return $"{context.Toolchain.Framework}, {size >> 10} KiB";
    }
}

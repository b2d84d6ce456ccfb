using OpenShell.Vm.Images.Building;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>The static program that holds a pod's namespaces.</summary>
internal sealed class PauseRecipe : Recipe
{
    public const string Name = "pause", Program = "pause";
    private const string Code = "images/pause/pause.c";

    public override string Kind => Name;

    public override string Title => "Pause program";

    public override int Revision => 1;

    public override long SpaceNeeded => 10L << 20;

    public override IReadOnlyList<string> Sources => [Code];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        await context.Tools.RunAsync(
            new ToolCommand { Program = context.Facts.CrossPrefix + "gcc", Arguments = ["-Os", "-Wall", "-Werror", "-static", "-s", "-Wl,--build-id=none", "-o", context.Output(Program), context.Source.PathOf(Code)] },
            cancellationToken).ConfigureAwait(false);
        return $"static, {new FileInfo(context.Output(Program)).Length >> 10} KiB";
    }
}

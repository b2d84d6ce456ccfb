using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Tests.Images.Building;

/// <summary>A recipe whose work is a test's own; the machinery around it is the real one.</summary>
internal sealed class TestRecipe(string kind, string file, Func<BuildContext, CancellationToken, Task>? work = null, params string[] needs) : Recipe
{
    private int _builds;

    public override string Kind => kind;

    public override string Title => "Test " + kind;

    public override int Revision => 1;

    public override long SpaceNeeded => Space;

    public long Space { get; init; } = 1;

    public override IReadOnlyList<string> Needs => needs;

    public override IReadOnlyList<string> Sources => SourceFiles;

    public IReadOnlyList<string> SourceFiles { get; init; } = [];

    public bool IsDotNet { get; init; }

    public override bool CompilesDotNet => IsDotNet;

    /// <summary>How often it was really built.</summary>
    public int Builds => Volatile.Read(ref _builds);

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _builds);
        await File.WriteAllTextAsync(context.Output(file), kind + " as built", cancellationToken);
        if (work is not null)
            await work(context, cancellationToken);
        return "1.0";
    }

    /// <summary>The kinds of which an <see cref="OpenShell.Vm.Images.ImageSet"/> consists, each depending on the first.</summary>
    public static IReadOnlyList<TestRecipe> Set(Func<BuildContext, CancellationToken, Task>? work = null) =>
    [
        new(KernelRecipe.Name, KernelRecipe.Image, work) { SourceFiles = ["recipe"] },
        new(InitramfsRecipe.Name, InitramfsRecipe.Archive, null, KernelRecipe.Name),
        new(RootRecipe.ClusterName, RootRecipe.Image, null, KernelRecipe.Name),
        new(RootRecipe.ProgramName, RootRecipe.Image, null, KernelRecipe.Name),
    ];
}

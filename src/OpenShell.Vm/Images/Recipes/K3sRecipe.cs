using OpenShell.Vm.Distributions;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Downloads;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>k3s and the images that it runs itself: those of the pinned release, or what the user brought.</summary>
internal sealed class K3sRecipe : Recipe
{
    public const string Name = "k3s", Program = "k3s", Images = "k3s-airgap-images.tar.zst", PlainImages = "k3s-airgap-images.tar";

    private const string Remedy =
        "Where its release page cannot be reached: --distribution upstream; --k3s-binary PATH with the program (and the air-gap archive beside it) from another machine; or "
        + K3sRelease.MirrorVariable + " with the URL of a mirror.";

    public override string Kind => Name;

    public override string Title => "k3s";

    public override int Revision => 1;

    public override long SpaceNeeded => 700L << 20;

    public override IReadOnlyList<RecipeInput> Inputs(RecipeFacts facts) => facts.K3s is { } given
        ? [new("k3s program", given.Sha256), new("k3s images", given.ImagesSha256 is null ? "none" : $"{given.ImagesSha256} {Path.GetExtension(given.Images)}")]
        : [new("k3s version", K3sRelease.Version), new("k3s program", K3sRelease.Binary(facts.Architecture).Sha256), new("k3s images", K3sRelease.Images(facts.Architecture).Sha256)];

    public override Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken) =>
        context.Facts.K3s is { } given ? TakeAsync(context, given, cancellationToken) : FetchAsync(context, cancellationToken);

    /// <summary>The files of the pinned release, in the cache.</summary>
    public static IReadOnlyList<string> Hashes(string architecture) => [K3sRelease.Binary(architecture).Sha256, K3sRelease.Images(architecture).Sha256];

    private static async Task<string> TakeAsync(BuildContext context, GivenK3s given, CancellationToken cancellationToken)
    {
        File.Copy(given.Binary, context.Output(Program));
        MakeExecutable(context.Output(Program));
        if (given.Images is { } images)
            File.Copy(images, context.Output(images.EndsWith(".zst", StringComparison.Ordinal) ? Images : PlainImages));
        else
            context.Note($"There is no k3s-airgap-images-{context.Facts.Architecture}.tar.zst beside it: what it runs itself is pulled from a registry.");
        return await VersionAsync(context, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string> FetchAsync(BuildContext context, CancellationToken cancellationToken)
    {
        foreach (var (file, output) in new[] { (K3sRelease.Binary(context.Facts.Architecture), Program), (K3sRelease.Images(context.Facts.Architecture), Images) })
        {
            var download = new Download($"{file.Name} of k3s {K3sRelease.Version}", K3sRelease.Address(file.Name, K3sRelease.Mirror), file.Sha256, Remedy);
            var path = await context.FetchAsync(download, (done, total) => context.Progress.Running(
                total is { } all ? $"{file.Name}: {done >> 20} of {all >> 20} MiB" : $"{file.Name}: {done >> 20} MiB", total is > 0 ? (double)done / total : null, done), cancellationToken).ConfigureAwait(false);
            File.Copy(path, context.Output(output));
        }

        if (GivenK3s.FaultOf(context.Output(Program), context.Facts.Architecture) is { } fault)
            throw new FaultException(fault);
        MakeExecutable(context.Output(Program));
        return "k3s " + K3sRelease.Version;
    }

    /// <summary>
    /// What it says it is: the first line of <c>k3s --version</c>, which k3s answers without unpacking itself (https://docs.k3s.io/cli). One for another
    /// processor cannot be asked.
    /// </summary>
    private static async Task<string> VersionAsync(BuildContext context, CancellationToken cancellationToken)
    {
        if (context.Facts.IsForeign)
            return "k3s of unknown version";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            var said = await context.Tools.RunAsync(new ToolCommand { Program = context.Output(Program), Arguments = ["--version"] }, limit.Token).ConfigureAwait(false);
            return Describe(said.Split('\n')[0].Trim());
        }
        catch (ToolFailedException e)
        {
            throw ImageFaults.Make("image.k3s-not-a-program", $"{context.Facts.K3s!.Binary} does not say which version it is: {e.Message}", "Give --k3s-binary a k3s program.", cause: e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw ImageFaults.Make("image.k3s-not-a-program", $"{context.Facts.K3s!.Binary} does not answer '--version'.", "Give --k3s-binary a k3s program.");
        }
    }

    /// <summary>"k3s version v1.34.2+k3s1 (abcdef)" without what only developers of k3s want; anything else as it is.</summary>
    internal static string Describe(string line) => line.Split(' ') is ["k3s", "version", var version, ..] ? "k3s " + version : line is { Length: > 0 and < 100 } ? line : "k3s of unknown version";

    private static void MakeExecutable(string path) => File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
}

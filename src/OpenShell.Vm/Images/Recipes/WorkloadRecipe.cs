using System.Text.RegularExpressions;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>The container images that the root image brings along: pause and the gateway.</summary>
internal sealed partial class WorkloadRecipe : Recipe
{
    public const string Name = "workload", PauseArchive = "pause.tar", GatewayArchive = "openshell-gateway.tar";
    public const string PauseReference = "localhost/pause:1";
    private const string GatewayManifest = "images/manifests/30-stateful-set.yaml";
    private const string GatewayImage = "localhost/openshell-gateway";

    // The user that images without a system have by convention (distroless' nonroot); the manifest asks for it too.
    private const string NonRoot = "65532:65532";

    // What the gateway opens at run time: .NET's cryptography.
    private static readonly string[] OpenedLibraries = ["libssl.so.3", "libcrypto.so.3"];

    public override string Kind => Name;

    public override string Title => "Container images";

    public override int Revision => 2;

    public override long SpaceNeeded => 100L << 20;

    public override IReadOnlyList<string> Needs => [GatewayRecipe.Name, PauseRecipe.Name, DebianRootRecipe.Name];

    public override IReadOnlyList<string> Sources => [GatewayManifest];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var pause = await File.ReadAllBytesAsync(context.Input(PauseRecipe.Name, PauseRecipe.Program), cancellationToken).ConfigureAwait(false);
        await WriteAsync(context, PauseArchive, new ContainerImage
        {
            Reference = PauseReference,
            Architecture = context.Facts.Architecture,
            Entrypoint = ["/pause"],
            User = "65535:65535",
            Files = [new ImageFile("pause", pause, Executable: true)],
        }, cancellationToken).ConfigureAwait(false);

        var reference = ReferenceIn(await File.ReadAllTextAsync(context.Source.PathOf(GatewayManifest), cancellationToken).ConfigureAwait(false));
        var gateway = await File.ReadAllBytesAsync(context.Input(GatewayRecipe.Name, GatewayRecipe.Program), cancellationToken).ConfigureAwait(false);
        using var debian = TarIndex.Open(context.Input(DebianRootRecipe.Name, DebianRootRecipe.Tar));
        await WriteAsync(context, GatewayArchive, new ContainerImage
        {
            Reference = reference,
            Architecture = context.Facts.Architecture,
            Entrypoint = ["/" + GatewayRecipe.Program],
            Environment = ["PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"],
            User = NonRoot,
            Labels = new Dictionary<string, string> { ["org.opencontainers.image.title"] = "OpenShell reference gateway" },
            Folders = ["tmp"],
            Files =
            [
                new ImageFile(GatewayRecipe.Program, gateway, Executable: true),
                new ImageFile("etc/passwd", "root:x:0:0:root:/:/none\nnonroot:x:65532:65532:nonroot:/:/none\n"u8.ToArray()),
                new ImageFile("etc/group", "root:x:0:\nnonroot:x:65532:\n"u8.ToArray()),
                new ImageFile("etc/ssl/certs/ca-certificates.crt", debian.Read("etc/ssl/certs/ca-certificates.crt")),
                .. NativeProgram.Libraries(debian, [gateway], OpenedLibraries),
            ],
        }, cancellationToken).ConfigureAwait(false);
        return $"{PauseReference}, {reference}";
    }

    /// <summary>The reference by which the gateway's manifest asks for its image: the archive carries the same.</summary>
    internal static string ReferenceIn(string manifest) => GatewayReference().Match(manifest) is { Success: true } match
        ? match.Groups[1].Value
        : throw ImageFaults.Make("image.manifest-without-image", $"{GatewayManifest} names no image {GatewayImage}.", "Correct the manifest.");

    private static async Task WriteAsync(BuildContext context, string name, ContainerImage image, CancellationToken cancellationToken)
    {
        context.Progress.Running(image.Reference);
        await using var file = File.Create(context.Output(name));
        await OciArchive.WriteAsync(image, file, cancellationToken).ConfigureAwait(false);
    }

    [GeneratedRegex(@"^\s*(?:-\s+)?image:\s*[""']?(" + GatewayImage + @":[A-Za-z0-9._-]+)", RegexOptions.Multiline)]
    private static partial Regex GatewayReference();
}

using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Debian;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>
/// This project's own kernel, compiled of Debian's source package: everything built in, so that it mounts the root itself without modules and
/// initramfs. One tree yields what QEMU boots and the same kernel as libkrun's library.
/// </summary>
internal sealed class CustomKernelRecipe : Recipe
{
    public const string Image = "kernel", Configuration = "config", Release = "release", Firmware = KrunFirmwareWriter.FileName;
    private const string PackageList = "images/kernel/source.list", Fragment = "images/kernel/gateway.config";

    private readonly string _architecture;

    private CustomKernelRecipe(string architecture) => _architecture = architecture;

    /// <summary>For x86-64.</summary>
    public static CustomKernelRecipe X64 { get; } = new(Architectures.Amd64);

    /// <summary>For AArch64, cross-compiled elsewhere.</summary>
    public static CustomKernelRecipe Arm64 { get; } = new(Architectures.Arm64);

    public override string Kind => KindFor(_architecture);

    public override string Title => $"Linux kernel of our own for {_architecture}";

    public override int Revision => 2;

    // Its kind says for which processor it is; what it is made of, and the compiler, are the host's.
    public override bool IsOfHost => true;

    // Sources 1.6 GB, object files 600 MB.
    public override long SpaceNeeded => 3000L << 20;

    public override IReadOnlyList<string> Sources => [PackageList, .. Fragments];

    private IReadOnlyList<string> Fragments => [Fragment, $"images/kernel/gateway-{_architecture}.config"];

    /// <summary>The artifact's kind for a processor.</summary>
    public static string KindFor(string architecture) => "kernel-custom-" + architecture;

    public override PackageRequest Packages(RecipeFacts facts) => new()
    {
        Name = "linux-source",
        Suite = RecipeFacts.Suite,
        Packages = facts.Source.List(PackageList),
        Scope = PackageScope.Alone,
        Architecture = facts.Architecture,
    };

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var package = context.Locked(this).Packages.Single();
        var (work, guard) = await context.EnterWorkAsync("linux", cancellationToken).ConfigureAwait(false);
        using (guard)
        {
            var tree = new LinuxTree(context, work, package, LinuxTarget.For(_architecture, context.Facts.Architecture));
            await tree.UnpackAsync(cancellationToken).ConfigureAwait(false);
            await tree.ConfigureAsync(Fragments, cancellationToken).ConfigureAwait(false);
            var compiled = await tree.CompileAsync(cancellationToken).ConfigureAwait(false);
            await KeepAsync(context, compiled, cancellationToken).ConfigureAwait(false);
            File.Copy(tree.Configuration, context.Output(Configuration));
            var release = await tree.ReleaseAsync(cancellationToken).ConfigureAwait(false);
            await File.WriteAllTextAsync(context.Output(Release), release + "\n", cancellationToken).ConfigureAwait(false);
            return $"{release} (Debian {package.Version})";
        }
    }

    private async Task KeepAsync(BuildContext context, string compiled, CancellationToken cancellationToken)
    {
        context.Progress.Running("writing the kernel and libkrun's library", 0.99);
        var image = context.Output(Image);
        if (_architecture == Architectures.Arm64)
            File.Copy(compiled, image);
        else
            await context.Tools.RunAsync(new ToolCommand { Program = "objcopy", Arguments = ["--strip-all", compiled, image] }, cancellationToken).ConfigureAwait(false);

        var bytes = await File.ReadAllBytesAsync(image, cancellationToken).ConfigureAwait(false);
        var kernel = _architecture == Architectures.Arm64 ? FlatKernel.OfArmImage(bytes) : FlatKernel.OfVmlinux(bytes);
        context.Note($"load address {kernel.LoadAddress:x}, entry {kernel.Entry:x}, {kernel.Image.Length} bytes in memory");
        await using var library = File.Create(context.Output(Firmware));
        KrunFirmwareWriter.Write(kernel, library);
    }
}

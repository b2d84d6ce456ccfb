using System.Formats.Tar;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>Debian's cloud kernel: the kernel itself, decompressed where possible, its configuration, and its modules as a tar with the indexes that depmod makes.</summary>
internal sealed class KernelRecipe : Recipe
{
    public const string Name = "kernel", Image = "kernel", Configuration = "config", Modules = "modules.tar", Release = "release";
    private const string PackageList = "images/kernel/packages.list", ExcludeList = "images/kernel/excludes.list";

    public override string Kind => Name;

    public override string Title => "Linux kernel";

    public override int Revision => 3;

    public override long SpaceNeeded => 400L << 20;

    public override IReadOnlyList<string> Sources => [PackageList, ExcludeList];

    public override PackageRequest Packages(RecipeFacts facts) => new()
    {
        Name = Name,
        Suite = RecipeFacts.Suite,
        Packages = [.. facts.Source.List(PackageList).Select(p => p.Replace("*", facts.Architecture, StringComparison.Ordinal))],
        Scope = PackageScope.Alone,
        Architecture = facts.Architecture,
    };

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var unpacked = context.Scratch("kernel");
        var packages = context.Locked(this).Packages;
        foreach (var package in packages)
        {
            context.Progress.Running("unpacking " + package.Name);
            await context.UnpackAsync(package, unpacked, cancellationToken).ConfigureAwait(false);
        }

        var all = Path.Combine(unpacked, "lib/modules");
        var release = Path.GetFileName(Directory.EnumerateDirectories(all).Single());
        foreach (var folder in context.Source.List(ExcludeList))
            HostFiles.DeleteFolder(Path.Combine(all, release, "kernel", folder));

        context.Progress.Running("module dependencies");
        await context.Tools.RunAsync(new ToolCommand { Program = "depmod", Arguments = ["--basedir", unpacked, release] }, cancellationToken).ConfigureAwait(false);
        await WriteKernelAsync(context, Path.Combine(unpacked, "boot", "vmlinuz-" + release), cancellationToken).ConfigureAwait(false);
        File.Copy(Path.Combine(unpacked, "boot", "config-" + release), context.Output(Configuration));
        await File.WriteAllTextAsync(context.Output(Release), release + "\n", cancellationToken).ConfigureAwait(false);

        await using var output = File.Create(context.Output(Modules));
        // GNU's format: .NET writes its own process number into pax headers.
        await using var tar = new TarWriter(output, TarEntryFormat.Gnu);
        foreach (var path in Directory.EnumerateFiles(Path.Combine(all, release), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await using var content = File.OpenRead(path);
            await tar.WriteEntryAsync(
                new GnuTarEntry(TarEntryType.RegularFile, Path.GetRelativePath(unpacked, path))
                {
                    Mode = (UnixFileMode)0b110_100_100,
                    ModificationTime = DateTimeOffset.UnixEpoch,
                    DataStream = content,
                },
                cancellationToken).ConfigureAwait(false);
        }

        var image = packages.First(p => p.Size > 1 << 20);
        return $"{release} (Debian {image.Version})";
    }

    // Decompressed here once instead of in the guest at every boot: 0.4 s of emulated processor time (docs/adr/0021-decompressed-kernel.md).
    private static async Task WriteKernelAsync(BuildContext context, string image, CancellationToken cancellationToken)
    {
        var compressed = await File.ReadAllBytesAsync(image, cancellationToken).ConfigureAwait(false);
        var kernel = context.Facts.Architecture == Architectures.Arm64 ? ArmKernelFile.Extract(compressed) : BzImage.Extract(compressed);
        context.Note(kernel is null || kernel.Length == compressed.Length ? "the kernel's image as the package has it" : "the kernel proper, taken out of the package's compressed image");
        await File.WriteAllBytesAsync(context.Output(Image), kernel ?? compressed, cancellationToken).ConfigureAwait(false);
    }
}

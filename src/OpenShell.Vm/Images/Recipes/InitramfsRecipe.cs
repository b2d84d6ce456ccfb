using System.Text;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>The first root of every boot: openshell-init as <c>/init</c>, its libraries, and the modules with which it finds the real root. The plain one has busybox in its place.</summary>
internal sealed class InitramfsRecipe : Recipe
{
    public const string Name = "initramfs", PlainName = "initramfs-plain", Archive = "initramfs.cpio";
    public const string ModuleList = "images/initramfs/modules.list";

    private const string PlainInit = "images/initramfs/plain-init", Busybox = "usr/bin/busybox";

    private readonly bool _isPlain;

    private InitramfsRecipe(bool isPlain) => _isPlain = isPlain;

    /// <summary>For every machine.</summary>
    public static InitramfsRecipe Guest { get; } = new(isPlain: false);

    /// <summary>For a machine without this project's programs, that ends at a prompt.</summary>
    public static InitramfsRecipe Plain { get; } = new(isPlain: true);

    public override string Kind => _isPlain ? PlainName : Name;

    public override string Title => _isPlain ? "Initramfs without the guest program" : "Initramfs";

    public override int Revision => 1;

    public override long SpaceNeeded => 50L << 20;

    public override IReadOnlyList<string> Needs => _isPlain ? [DebianRootRecipe.Name, KernelRecipe.Name] : [GuestRecipe.Name, DebianRootRecipe.Name, KernelRecipe.Name];

    public override IReadOnlyList<string> Sources => _isPlain ? [ModuleList, PlainInit] : [ModuleList];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        using var debian = TarIndex.Open(context.Input(DebianRootRecipe.Name, DebianRootRecipe.Tar));
        var program = _isPlain ? debian.Read(Busybox) : await File.ReadAllBytesAsync(context.Input(GuestRecipe.Name, GuestRecipe.Program), cancellationToken).ConfigureAwait(false);
        using var modules = KernelModules.Open(context);
        var libraries = NativeProgram.Libraries(debian, [program], []);
        if (libraries.FirstOrDefault(l => l.Path.EndsWith("/libc.so.6", StringComparison.Ordinal)) is { } libc)
            NativeProgram.CheckLibc(program, libc.Content, _isPlain ? "busybox" : GuestRecipe.Program);

        var order = modules.LoadOrder(context.Source.List(ModuleList), ModuleList);
        await using var output = File.Create(context.Output(Archive));
        using var cpio = new CpioWriter(output);
        foreach (var folder in (string[])["dev", "proc", "sys", "run", "root"])
            cpio.AddFolder(folder);

        // The kernel opens it as stdin, stdout and stderr of /init; without it they are closed.
        cpio.AddCharacterDevice("dev/console", 5, 1);
        if (_isPlain)
        {
            cpio.AddFile("init", await File.ReadAllBytesAsync(context.Source.PathOf(PlainInit), cancellationToken).ConfigureAwait(false), executable: true);
            cpio.AddFile("bin/busybox", program, executable: true);
        }
        else
        {
            cpio.AddFile("init", program, executable: true);
        }

        foreach (var library in libraries)
            cpio.AddFile(library.Path, library.Content, executable: true);
        foreach (var module in order)
            cpio.AddFile(modules.Folder + "/" + module, modules.Read(module), executable: false);
        cpio.AddFile("lib/modules/boot.list", Encoding.UTF8.GetBytes(string.Concat(order.Select(m => $"{modules.Release}/{m}\n"))), executable: false);
        return $"{order.Count} modules, {libraries.Count} libraries";
    }
}

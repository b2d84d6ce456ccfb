using System.Formats.Tar;
using System.Globalization;
using System.Runtime.InteropServices;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>
/// virtme-ng (https://github.com/arighi/virtme-ng): a kernel with the file system of the host, read-only, for one program; another way to what <c>gateway --exec</c> does. <c>vng</c> is a front of <c>virtme-run</c>, which is used here, since it adds
/// nothing of its own. Written after its version 1.41.
/// </summary>
internal sealed class VirtmeNg
{
    private const string Program = "virtme-run", FileServer = "virtiofsd", ModulesOf = "auto", NoModules = "none";

    // A guest whose init is a shell script, emulated.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    // Where it looks for it besides PATH.
    private static readonly string[] FileServerFolders = ["/usr/libexec", "/usr/lib/virtiofsd", "/usr/lib", "/usr/lib/qemu"];

    // Any of them, linked statically: it is in the initramfs with the modules.
    private static readonly string[] Busyboxes = ["busybox-static", "busybox.static", "busybox"];

    private readonly string _program;
    private readonly IReadOnlyList<string> _arguments;
    private readonly IReadOnlyDictionary<string, string?> _environment;

    private VirtmeNg(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?> environment) => (_program, _arguments, _environment) = (program, arguments, environment);

    /// <summary>Prepares boots of the product's kernel, with its accelerator, processors and memory.</summary>
    /// <exception cref="BenchException">Something that it needs is not on this host; says what, and how to get it.</exception>
    public static async Task<VirtmeNg> CreateAsync(BenchContext context)
    {
        if (Lacking(name => RuntimeTools.FindProgram(name, FileServerFolders) is not null) is { } lacking)
            throw new BenchException(lacking);
        var plan = await context.PlanAsync("virtme");
        var (kernel, modules) = await KernelAsync(plan.Plan.Kernel!, context.Home.In("virtme"));
        return new VirtmeNg(
            RuntimeTools.FindProgram(Program)!,
            Arguments(plan.Host.Qemu ?? throw new BenchException("QEMU is missing; see 'gateway doctor'."), kernel, modules, plan.Plan.Vcpus, plan.Plan.MemoryMib, plan.Plan.Accelerator, RuntimeInformation.ProcessArchitecture),
            context.Home.Environment);
    }

    /// <summary>One boot, <c>true</c> in it, and power-off.</summary>
    /// <returns>Seconds from before the command's start to after its end.</returns>
    public async Task<double> BootAsync() => (await HostProgram.RunAsync(_program, _arguments, Limit, _environment)).Elapsed.TotalSeconds;

    /// <summary>What of its programs is not there.</summary>
    /// <param name="has">Whether a program is.</param>
    /// <returns>A sentence for the user; <see langword="null"/>: all are there.</returns>
    internal static string? Lacking(Func<string, bool> has)
    {
        string?[] missing = [has(Program) ? null : Program, has(FileServer) ? null : FileServer, Busyboxes.Any(has) ? null : Busyboxes[0]];
        return missing.All(name => name is null)
            ? null
            : $"without {string.Join(", ", missing.OfType<string>())} (Debian 13 has packages of it all: 'apt-get install virtme-ng virtiofsd busybox-static'; Debian 12 has not)";
    }

    /// <summary>
    /// The command line. With an emulated processor the options by which <see cref="BareMachine"/> differs from its own; with KVM it has the same, and says the accelerator in a way that <c>-accel</c> would contradict.
    /// </summary>
    internal static IReadOnlyList<string> Arguments(string qemu, string kernel, bool modules, int vcpus, int memoryMib, Accelerator accelerator, Architecture processor) =>
    [
        "--kimg", kernel,
        "--mods", modules ? ModulesOf : NoModules,
        "--script-sh", "true",
        "--cpus", vcpus.ToString(CultureInfo.InvariantCulture),
        "--memory", string.Create(CultureInfo.InvariantCulture, $"{memoryMib}M"),
        "--qemu-bin", qemu,
        "--disable-microvm",
        .. processor == Architecture.X64 ? Option("-machine", "q35") : [],
        .. accelerator == Accelerator.Kvm ? [] : (string[])["--disable-kvm", .. Option("-cpu", "max"), .. Option("-accel", "tcg,thread=multi")],
    ];

    // As one word: the next would be taken for an option of its own.
    private static string[] Option(string name, string value) => ["--qemu-opt=" + name, "--qemu-opt=" + value];

    // It finds the modules of a kernel below the folder that the kernel is in. Ours has what it needs built in, and no modules.
    private static async Task<(string Kernel, bool Modules)> KernelAsync(string kernel, string folder)
    {
        var modules = Path.Combine(Path.GetDirectoryName(kernel)!, KernelRecipe.Modules);
        if (!File.Exists(modules))
            return (kernel, false);
        var copy = Path.Combine(folder, KernelRecipe.Image);
        File.Copy(kernel, copy, overwrite: true);
        await TarFile.ExtractToDirectoryAsync(modules, folder, overwriteFiles: true);
        return (copy, true);
    }
}

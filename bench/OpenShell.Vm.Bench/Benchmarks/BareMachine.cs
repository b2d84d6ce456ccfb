using System.Globalization;
using OpenShell.Vm.Images.Formats;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>
/// The least that a boot can take: the same QEMU, kernel, accelerator, machine, processors and memory as the product's plan, with an initramfs that
/// holds a static program of one system call. No disk, no network, no channel. What the product takes beyond this is its own doing.
/// </summary>
internal sealed class BareMachine
{
    private const string Source = """
        #include <sys/reboot.h>
        int main(void) { return reboot(RB_POWER_OFF); }
        """;

    private readonly string _qemu;
    private readonly string[] _arguments;

    private BareMachine(string qemu, string[] arguments) => (_qemu, _arguments) = (qemu, arguments);

    public static async Task<BareMachine> CreateAsync(BenchContext context)
    {
        var plan = await context.PlanAsync("bare");
        var qemu = plan.Host.Qemu ?? throw new BenchException("QEMU is missing; see 'gateway doctor'.");
        return new BareMachine(qemu,
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "q35",
            "-accel", plan.Plan.Accelerator switch { Accelerator.Kvm => "kvm", Accelerator.Hvf => "hvf", _ => "tcg,thread=multi" },
            "-cpu", "max",
            "-smp", plan.Plan.Vcpus.ToString(CultureInfo.InvariantCulture),
            "-m", plan.Plan.MemoryMib.ToString(CultureInfo.InvariantCulture),
            "-kernel", plan.Plan.Kernel!,
            "-initrd", await InitramfsAsync(context.Home.In("bare")),
            "-append", string.Join(' ', plan.Plan.KernelArguments.Where(argument => !argument.StartsWith("console=", StringComparison.Ordinal)).Append("quiet")),
        ]);
    }

    /// <summary>One boot to power-off.</summary>
    /// <returns>Seconds from before the start of QEMU to after its end.</returns>
    public async Task<double> BootAsync() => (await HostProgram.RunAsync(_qemu, _arguments, TimeSpan.FromMinutes(1))).Elapsed.TotalSeconds;

    private static async Task<string> InitramfsAsync(string folder)
    {
        var source = Path.Combine(folder, "init.c");
        var program = Path.Combine(folder, "init");
        var initramfs = Path.Combine(folder, "initramfs");
        await File.WriteAllTextAsync(source, Source);
        await HostProgram.RunAsync("gcc", ["-static", "-Os", "-o", program, source], TimeSpan.FromMinutes(1));
        await using var file = File.Create(initramfs);
        Write(file, await File.ReadAllBytesAsync(program));
        return initramfs;
    }

    private static void Write(Stream file, byte[] program)
    {
        using var cpio = new CpioWriter(file);
        cpio.AddFile("init", program, executable: true);
    }
}

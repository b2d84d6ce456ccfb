using System.Diagnostics;
using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors.Krun;

/// <summary>A plan for libkrun in a folder of its own, and the real <c>gateway __vmm</c> on it.</summary>
internal sealed class KrunMachine : IDisposable
{
    internal static readonly InstanceConfig Cluster = new() { Name = "default", Hypervisor = "libkrun", Vcpus = 4, MemoryMib = 4096 };
    internal static readonly InstanceConfig Program = Cluster with { Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/true" }, Vcpus = 2, MemoryMib = 1024 };

    private readonly TestFolder _folder = new();
    private readonly InstanceFiles _files;

    internal KrunMachine() => _files = _folder.Instance();

    internal string Log => _folder.File("calls");

    internal InstanceFiles Files => _files;

    internal string File(string name) => _folder.File(name);

    /// <summary>The images, of which only the kernel's first bytes are ever read here.</summary>
    internal ImageSet Images()
    {
        System.IO.File.WriteAllBytes(_folder.File("kernel"), [0x7f, (byte)'E', (byte)'L', (byte)'F', .. new byte[1024]]);
        return new ImageSet { Kernel = _folder.File("kernel"), Initramfs = _folder.File("initramfs"), Root = _folder.File("root.img"), Key = "0123" };
    }

    /// <summary>The host: Linux with KVM and the recorder, or what would be the same on macOS.</summary>
    internal static HostFacts Host(string library, IReadOnlyList<string> firmware, bool isMac = false) => Made.Host(kvm: true) with
    {
        OperatingSystem = isMac ? "macos" : "linux",
        Libkrun = library,
        Libkrunfw = firmware,
        VmmProgram = new VmmProgram([Recorder.Gateway, "__vmm"], new Dictionary<string, string>()),
    };

    internal BootPlan Plan(InstanceConfig config, HostFacts host, ImageSet? images) =>
        BootPlanner.Plan(InstanceDefaults.Fill(config, host), host, images, _files);

    /// <summary>Becomes the machine; returns how the process ended.</summary>
    internal async Task<(int ExitCode, string Error)> RunAsync(BootPlan plan, params (string Name, string Value)[] environment)
    {
        AtomicFile.WriteJson(_files.Plan, plan, InstanceJson.Default.BootPlan, durable: false);
        var start = new ProcessStartInfo(Recorder.Gateway, ["__vmm", _files.Plan]) { RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["RECORDER_LOG"] = Log;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Eventually.Limit);
        return (process.ExitCode, await error);
    }

    /// <summary>What the library was told, and what the supervisor would be; paths of this test's own are shortened.</summary>
    internal string Told()
    {
        var calls = System.IO.File.Exists(Log) ? System.IO.File.ReadAllText(Log) : "";
        return (calls + string.Concat(Faults().Select(fault => $"! {fault.Code}: {fault.What}\n"))).Replace(_files.Run, "RUN", StringComparison.Ordinal).Replace(_folder.Path, "DIR", StringComparison.Ordinal);
    }

    internal IReadOnlyList<Fault> Faults() => System.IO.File.Exists(_files.VmmFault)
        ? JsonSerializer.Deserialize(System.IO.File.ReadAllBytes(_files.VmmFault), InstanceJson.Default.IReadOnlyListFault)!
        : [];

    public void Dispose() => _folder.Dispose();
}

using System.Text.RegularExpressions;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;

using OpenShell.Vm.Mounts;

namespace OpenShell.Vm.Planning;

/// <summary>Finds out about the host. What takes time (starting QEMU for its version, timing KVM) is remembered in the cache folder until the host changes.</summary>
public sealed partial class HostProbe(HostDirectories directories, IReadOnlyList<string>? kvmProbeCommand, IReadOnlyList<string>? vmmCommand = null)
{
    /// <summary>Starting QEMU to ask for its version takes some 50 ms; a machine that swaps may need seconds.</summary>
    private static readonly TimeSpan VersionLimit = TimeSpan.FromSeconds(20);

    private readonly HostFactsCache _cache = new(directories.Cache);

    /// <summary>Probes; never blocks for longer than the limits of its children.</summary>
    public Task<HostFacts> ProbeAsync(CancellationToken cancellationToken = default) => ProbeAsync(null, cancellationToken);

    /// <summary>Probes, and looks for libkrun in a folder first.</summary>
    public Task<HostFacts> ProbeAsync(string? runtimeDirectory, CancellationToken cancellationToken = default) => ProbeAsync(runtimeDirectory, null, cancellationToken);

    /// <summary>Probes for guests of a processor (of <see cref="Architectures"/>); <see langword="null"/>: the host's.</summary>
    public async Task<HostFacts> ProbeAsync(string? runtimeDirectory, string? guest, CancellationToken cancellationToken = default)
    {
        var host = await ProbeOwnAsync(runtimeDirectory, cancellationToken).ConfigureAwait(false);
        return guest is null || guest == Architectures.Host ? host : await ForeignAsync(host, guest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same host, for guests of another processor: nothing but QEMU's emulation runs their programs.</summary>
    private async Task<HostFacts> ForeignAsync(HostFacts host, string guest, CancellationToken cancellationToken)
    {
        var qemu = RuntimeTools.FindQemu(guest);
        var name = Architectures.KernelName(guest);
        return host with
        {
            GuestArchitecture = name,
            Qemu = qemu,
            QemuVersion = qemu is null ? null : await _cache.GetAsync("qemu-version-" + name, HostFactsCache.KeyOfFile(qemu), ct => VersionOfAsync(qemu, ct), cancellationToken).ConfigureAwait(false),
            Libkrun = null,
            Libkrunfw = [],
            Accelerators =
            [
                .. host.Accelerators.Where(a => a.Accelerator != Accelerator.Tcg).Select(a => a with { Usable = false, Reason = $"this processor is {host.Architecture}, the guest's {name}" }),
                .. host.Accelerators.Where(a => a.Accelerator == Accelerator.Tcg),
            ],
        };
    }

    private async Task<HostFacts> ProbeOwnAsync(string? runtimeDirectory, CancellationToken cancellationToken)
    {
        var qemu = RuntimeTools.FindQemu();
        var versionTask = qemu is null ? Task.FromResult<Version?>(null) : _cache.GetAsync("qemu-version", HostFactsCache.KeyOfFile(qemu), ct => VersionOfAsync(qemu, ct), cancellationToken);
        var kvmTask = KvmAsync(cancellationToken);
        var isMac = OperatingSystem.IsMacOS();
        var architecture = Architectures.KernelName(Architectures.Host);
        var folders = KrunLibraries.Folders(runtimeDirectory, directories.Cache, isMac, architecture);
        var libkrunfw = KrunLibraries.FindLibkrunfw(folders, isMac);
        return new HostFacts
        {
            OperatingSystem = isMac ? "macos" : "linux",
            Architecture = architecture,
            Cores = Environment.ProcessorCount,
            MemoryMib = HostMemory.TotalMib(),
            Qemu = qemu,
            QemuVersion = await versionTask.ConfigureAwait(false),
            QemuImg = RuntimeTools.FindQemuImg(),
            Virtiofsd = VirtiofsdCommandLine.Places.FirstOrDefault(File.Exists),
            IsRoot = Interop.Libc.EffectiveUserId() == 0,
            Gvproxy = RuntimeTools.FindGvproxy(directories),
            Libkrun = KrunLibraries.FindLibkrun(runtimeDirectory, folders, isMac),
            Libkrunfw = libkrunfw,
            VmmProgram = vmmCommand is null ? null : new VmmProgram(vmmCommand, VmmEnvironment.Current(libkrunfw, isMac)),
            Accelerators =
            [
                .. isMac ? (AcceleratorFact[])[HvfProbe.Probe()] : [],
                await kvmTask.ConfigureAwait(false),
                new AcceleratorFact { Accelerator = Accelerator.Tcg, Usable = true, Reason = "software emulation by QEMU: works everywhere, some ten times slower than the processor" },
            ],
        };
    }

    /// <summary>Forgets what is remembered.</summary>
    public void Forget() => _cache.Clear();

    private async Task<AcceleratorFact> KvmAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            return KvmMeasurement.Unusable("KVM is a part of Linux");
        if (!File.Exists("/dev/kvm"))
            return KvmMeasurement.Unusable("there is no /dev/kvm");
        if (kvmProbeCommand is null)
            return KvmMeasurement.Unusable("not timed: no probe command was given");

        // Not remembered when it cannot be opened: a user who has just joined the group kvm would not see it.
        var measured = await _cache.GetAsync("kvm", HostFactsCache.KeyOfBoot(), ct => KvmProbeChild.RunAsync(kvmProbeCommand, ct), cancellationToken).ConfigureAwait(false);
        return (measured ?? new KvmMeasurement { Error = "the speed test did not end" }).ToFact();
    }

    private static async Task<Version?> VersionOfAsync(string qemu, CancellationToken cancellationToken)
    {
        var output = await CapturedProcess.RunAsync([qemu, "--version"], VersionLimit, cancellationToken).ConfigureAwait(false);
        return output is not null && QemuVersionLine().Match(output) is { Success: true } match ? Version.Parse(match.Groups[1].Value) : null;
    }

    [GeneratedRegex(@"version (\d+\.\d+(\.\d+)?)")]
    private static partial Regex QemuVersionLine();
}

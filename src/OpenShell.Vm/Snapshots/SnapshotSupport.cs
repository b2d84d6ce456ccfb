using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Snapshots;

/// <summary>Which machines can be saved with their memory. Pure.</summary>
internal static class SnapshotSupport
{
    /// <summary>Why such a machine cannot be saved; <see langword="null"/>: it can.</summary>
    internal static string? WhyNot(InstanceConfig config, HostFacts host) => config switch
    {
        { Mode: not GuestMode.Cluster } => "a program's machine ends with its program, and has no disk that would be saved along",
        { Hypervisor: HypervisorNames.Libkrun } => "libkrun cannot save a machine; QEMU can (--hypervisor qemu)",
        { RootDirectory: not null } => "a folder of the host is its root, which may have changed by the time it goes on",
        { Mounts.Count: > 0 } => "it has folders of the host mounted (--mount), which QEMU cannot save",
        _ when host.OperatingSystem != "linux" => "machines are saved on Linux only",
        _ when host.QemuVersion is null || host.QemuVersion < QemuMigration.MinimumVersion => $"QEMU {QemuMigration.MinimumVersion} or later is needed, and this is {host.QemuVersion?.ToString() ?? "unknown"}",
        _ => null,
    };

    /// <summary>As a fault of somebody who asked for it.</summary>
    internal static Fault Unsupported(string what, string why) => new()
    {
        Code = "snapshot.unsupported",
        What = $"{what} is not possible: {why}.",
        Remedy = "'gateway stop' keeps everything on the disk; the next 'gateway up' boots from it.",
    };
}

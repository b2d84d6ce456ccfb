using System.Globalization;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;

namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>An instance's status for people.</summary>
internal static class StatusText
{
    /// <summary>Everything about one.</summary>
    public static void Write(TextWriter writer, InstanceStatus status)
    {
        Line("name", status.Name);
        Line("phase", CliJson.Word(status.Phase));
        Line("gateway", status.Endpoint);
        Line("kubernetes", status.ApiServer);
        Line("kubeconfig", status.Kubeconfig);
        Line("machine", Machine(status));
        Line("distribution", status.DistributionVersion ?? status.Distribution);
        Line("bundle", status.Bundle);
        Line("clone of", status.CloneOf);
        foreach (var port in status.Ports)
            Line("forward", port.Text());
        foreach (var mount in status.Mounts)
            Line("mount", $"{mount.Text()}; {HostMount.CannotDo}");
        foreach (var disk in status.Disks.Where(disk => disk.NearlyFull))
            Line("nearly full", string.Create(CultureInfo.InvariantCulture, $"{disk.Where} {disk.Path}: {disk.FreeBytes >> 20} MiB of {disk.TotalBytes >> 20} are left"));
        if (status.Restarts > 0)
            Line("restarts", status.Restarts.ToString(CultureInfo.InvariantCulture));
        foreach (var (role, process) in status.Processes)
            Line(role, $"pid {process.Pid}");
        Line("started", status.StartedAt?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture));
        if (status is { ReadyAt: { } ready, StartedAt: { } started })
            Line("ready after", Units.Time(ready - started));
        if (status.Stages.Count > 0)
        {
            writer.WriteLine();
            StageText.Write(writer, status.Stages);
        }

        if (status.Fault is { } fault)
        {
            writer.WriteLine();
            FailureReport.Write(writer, fault);
        }

        void Line(string key, string? value)
        {
            if (value is { Length: > 0 })
                writer.WriteLine($"{key,-13}   {value}");
        }
    }

    /// <summary>Such as <c>2 vCPUs, 4096 MiB, qemu (tcg)</c>.</summary>
    public static string Machine(InstanceStatus status) => string.Join(", ", new[]
    {
        status.Vcpus is { } vcpus ? $"{vcpus} vCPU{(vcpus == 1 ? "" : "s")}" : null,
        status.MemoryMib is { } memory ? $"{memory} MiB" : null,
        status.Hypervisor is { } hypervisor ? $"{hypervisor}{(status.Accelerator is { } a ? $" ({a})" : "")}" : null,
    }.OfType<string>());
}

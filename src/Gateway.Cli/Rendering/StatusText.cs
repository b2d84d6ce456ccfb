using System.Globalization;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Instances;

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
            Line("forward", Forward(port));
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

    /// <summary>Such as <c>127.0.0.1:8080 -> 80</c>.</summary>
    public static string Forward(PortForward port) =>
        $"{(port.HostAddress.Contains(':', StringComparison.Ordinal) ? $"[{port.HostAddress}]" : port.HostAddress)}:{port.HostPort} -> {port.GuestPort}";
}

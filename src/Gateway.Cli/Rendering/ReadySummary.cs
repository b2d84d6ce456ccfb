using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>What a user wants to know when an instance is ready: where the time went, and how to use it.</summary>
internal static class ReadySummary
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter writer, InstanceStatus status)
    {
        StageText.Write(writer, status.Stages);
        writer.WriteLine();
        writer.WriteLine(status is { ReadyAt: { } ready, StartedAt: { } started }
            ? $"'{status.Name}' is ready after {Units.Time(ready - started)}."
            : $"'{status.Name}' is ready.");
        Line("gateway", status.Endpoint);
        Line("kubernetes", status.ApiServer);
        Line("kubeconfig", status.Kubeconfig);
        Line("cluster", status.DistributionVersion);
        Line("machine", StatusText.Machine(status));
        foreach (var port in status.Ports)
            Line("forward", port.Text());

        void Line(string key, string? value)
        {
            if (value is { Length: > 0 })
                writer.WriteLine($"  {key,-10}   {value}");
        }
    }
}

using System.Formats.Tar;
using System.IO.Compression;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Deliveries;

/// <summary>Whether a file is a packaged Helm chart (https://helm.sh/docs/topics/charts/): a tar.gz with one folder that has a <c>Chart.yaml</c>.</summary>
internal static class ChartCheck
{
    /// <summary>What is wrong with it; <see langword="null"/>: nothing.</summary>
    public static Fault? Fault(string path)
    {
        try
        {
            using var packed = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            using var reader = new TarReader(packed);
            while (reader.GetNextEntry() is { } entry)
            {
                if (entry.Name.Split('/') is [_, "Chart.yaml"])
                    return null;
            }

            return NoChart(path, "it has no Chart.yaml");
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return NoChart(path, "it is no tar.gz, or is cut off");
        }
    }

    private static Fault NoChart(string path, string why) =>
        DeliveryFaults.Make("chart-invalid", $"--chart {path} is no packaged chart: {why}.", "Make one with 'helm package FOLDER'.");
}

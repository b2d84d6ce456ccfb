using System.Text;
using OpenShell.Vm.Distributions;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Deliveries;

/// <summary>Brings container images into a running cluster, through the agent's channel: no registry, no copy on the guest's disk.</summary>
public static class ImageLoader
{
    /// <summary>What is wrong with an archive; empty when nothing is.</summary>
    public static IReadOnlyList<Fault> Faults(IEnumerable<string> archives) =>
        DeliveryFiles.Faults(new Instances.InstanceConfig { Name = Instances.InstanceName.Default, Workload = new WorkloadConfig { Images = [.. archives] } });

    /// <summary>Loads an archive (OCI layout or docker's; tar, tar.gz, tar.zst).</summary>
    /// <param name="agent">The guest.</param>
    /// <param name="distribution">What it runs.</param>
    /// <param name="archive">The file.</param>
    /// <param name="sent">Told how many bytes of it were sent.</param>
    /// <param name="cancellationToken">Gives up; the guest drops what came.</param>
    /// <returns>What the guest's containerd said: a line for each image.</returns>
    /// <exception cref="FaultException">It could not be imported, or the guest was lost.</exception>
    public static async Task<string> LoadAsync(IGuestAgent agent, IDistribution distribution, string archive, IProgress<long>? sent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(distribution);
        var tool = distribution.ContainerdTool;
        var request = new ExecRequest { Program = tool[0], Arguments = [.. tool.Skip(1), "--namespace", "k8s.io", "images", "import", "-"], Stdin = true };
        await using var import = await agent.ExecAsync(request, cancellationToken).ConfigureAwait(false);
        var output = Task.WhenAll(ReadAsync(import.Stdout, cancellationToken), ReadAsync(import.Stderr, cancellationToken));
        try
        {
            await using var file = new FileStream(archive, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
            var buffer = new byte[256 * 1024];
            long total = 0;
            int count;
            while ((count = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await import.Stdin.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                sent?.Report(total += count);
            }

            await import.Stdin.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException) when (!cancellationToken.IsCancellationRequested)
        {
            // It has ended, or does not want more: its own words say why.
        }

        var result = await import.Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        var words = await output.ConfigureAwait(false);
        return result.ExitCode == 0
            ? GuestFaults.Clean(words[0].TrimEnd())
            : throw new FaultException(new Fault
            {
                Code = "image.load-failed",
                What = $"{archive} could not be loaded: {GuestFaults.Clean(Last(result.Error ?? words[1]))}",
                Remedy = "Check that the archive is whole ('gateway image load' looked at it before) and that the instance's disk has room ('gateway exec -- df -h').",
            });
    }

    private static string Last(string words)
    {
        var lines = words.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length > 0 ? lines[^1] : "it said nothing";
    }

    private static async Task<string> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }
}

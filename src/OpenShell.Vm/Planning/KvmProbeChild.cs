using System.Text.Json;

namespace OpenShell.Vm.Planning;

/// <summary>The parent's side of the KVM probe.</summary>
internal static class KvmProbeChild
{
    /// <summary>Start of a .NET process plus some 100 ms of measuring, with room for a busy host. A good KVM is done in a fraction of it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Runs the child; <see langword="null"/>: it did not answer in time, or not sensibly.</summary>
    internal static async Task<KvmMeasurement?> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var output = await CapturedProcess.RunAsync(command, Limit, cancellationToken).ConfigureAwait(false);
        if (output is null)
            return null;
        try
        {
            return JsonSerializer.Deserialize(output, KvmProbeJson.Default.KvmMeasurement);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

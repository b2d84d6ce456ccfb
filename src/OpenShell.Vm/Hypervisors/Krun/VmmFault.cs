using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>How the process of a machine tells its supervisor why it did not come up: a file beside the sockets, whole or not at all.</summary>
internal static class VmmFault
{
    internal static void Write(string path, IReadOnlyList<Fault> faults)
    {
        try
        {
            AtomicFile.WriteJson(path, faults, InstanceJson.Default.IReadOnlyListFault, durable: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has been said on stderr, which is the log.
        }
    }

    /// <summary>What was told; <see langword="null"/>: nothing.</summary>
    internal static Fault? Read(string path)
    {
        try
        {
            return File.Exists(path) && JsonSerializer.Deserialize(File.ReadAllBytes(path), InstanceJson.Default.IReadOnlyListFault) is [var fault, ..] ? fault : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

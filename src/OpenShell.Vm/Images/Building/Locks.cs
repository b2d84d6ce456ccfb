using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Images.Building;

/// <summary>What was resolved once: package versions, the compiler's framework. Kept until a refresh.</summary>
internal sealed class Locks(CacheLayout layout)
{
    /// <summary>The packages of a request, if they were resolved.</summary>
    public PackageLock? Find(PackageRequest request) => Read(request.LockName, CacheJson.Default.PackageLock);

    /// <summary>The framework for this version of .NET and the guest's processor, if it was probed.</summary>
    public ToolchainLock? FindToolchain(RecipeFacts facts) => Read(ToolchainName(facts), CacheJson.Default.ToolchainLock);

    public Task WriteAsync(PackageRequest request, PackageLock locked, CancellationToken cancellationToken) =>
        WriteAsync(request.LockName, locked, CacheJson.Default.PackageLock, cancellationToken);

    public Task WriteAsync(RecipeFacts facts, ToolchainLock locked, CancellationToken cancellationToken) =>
        WriteAsync(ToolchainName(facts), locked, CacheJson.Default.ToolchainLock, cancellationToken);

    private static string ToolchainName(RecipeFacts facts) => $"dotnet-{Environment.Version}" + (facts.IsForeign ? "-" + facts.RuntimeIdentifier : "");

    private T? Read<T>(string name, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            using var stream = File.OpenRead(layout.Pin(name));
            return JsonSerializer.Deserialize(stream, type);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null; // unreadable is the same as not resolved: it is resolved again
        }
    }

    private Task WriteAsync<T>(string name, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        HostFiles.WriteWholeAsync(layout.Pin(name), JsonSerializer.SerializeToUtf8Bytes(value, type), cancellationToken);
}

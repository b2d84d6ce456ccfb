using System.Collections.Concurrent;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Distributions;

/// <summary>Whether k3s can be had on this host.</summary>
/// <param name="Available">It is cached, or its release can be reached.</param>
/// <param name="Why">In words that go on after "k3s".</param>
public sealed record K3sAvailability(bool Available, string Why)
{
    // Long enough for a TLS handshake across an ocean, short enough not to be noticed at the start of a cluster.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    // A name that does not resolve now will not a second later, nor for the next question of the same command.
    private static readonly ConcurrentDictionary<Uri, Task<K3sAvailability>> Asked = new();

    /// <summary>Looks into the cache, then asks the mirror or the release page, once in a process' life.</summary>
    public static Task<K3sAvailability> ProbeAsync(HostDirectories directories, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var (architecture, layout) = (Architectures.Host, new CacheLayout(directories.Cache));
        if (File.Exists(layout.Package(K3sRelease.Binary(architecture).Sha256)) && File.Exists(layout.Package(K3sRelease.Images(architecture).Sha256)))
            return Task.FromResult(new K3sAvailability(true, "is in the cache"));
        return Asked.GetOrAdd(K3sRelease.Address(K3sRelease.Binary(architecture).Name, K3sRelease.Mirror), static address => AskAsync(address, Patience)).WaitAsync(cancellationToken);
    }

    /// <summary>Asks for the head of a file; a redirection, which the release page answers with, is answer enough.</summary>
    internal static async Task<K3sAvailability> AskAsync(Uri address, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        try
        {
            using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
            using var http = new HttpClient(handler);
            using var request = new HttpRequestMessage(HttpMethod.Head, address);

            // The resolver of libc cannot be interrupted: it is left behind, not waited for.
            using var answer = await http.SendAsync(request, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
            return (int)answer.StatusCode < 400
                ? new K3sAvailability(true, $"can be fetched from {address.Host}")
                : new K3sAvailability(false, $"is not in the cache, and {address.Host} answers {(int)answer.StatusCode} for it");
        }
        catch (HttpRequestException e)
        {
            return new K3sAvailability(false, $"is not in the cache, and {address.Host} cannot be reached ({e.HttpRequestError})");
        }
        catch (OperationCanceledException)
        {
            return new K3sAvailability(false, $"is not in the cache, and {address.Host} did not answer within {patience.TotalSeconds:0.#} s");
        }
    }
}

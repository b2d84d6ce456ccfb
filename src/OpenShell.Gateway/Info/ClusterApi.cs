using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace OpenShell.Gateway.Info;

/// <summary>What the gateway asks of its cluster.</summary>
internal interface IClusterApi
{
    /// <summary>The API server's <c>gitVersion</c>, such as <c>v1.20.2</c>.</summary>
    /// <exception cref="ClusterUnavailableException">It cannot be had; the message is a sentence for the client.</exception>
    Task<string> GetVersionAsync();
}

/// <summary>The API server gave no answer that could be used.</summary>
internal sealed class ClusterUnavailableException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// The API server as a pod finds it (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/): address from the environment,
/// token and CA from the service account's volume. Both are read anew for each question, since the kubelet replaces them.
/// </summary>
internal sealed class ClusterApi(GatewaySettings settings) : IClusterApi
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    // A version is half a kilobyte.
    private const int MaxAnswer = 64 * 1024;

    /// <inheritdoc/>
    public async Task<string> GetVersionAsync()
    {
        var server = settings.ApiServer ?? throw new ClusterUnavailableException("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: the gateway does not run in a cluster.");
        try
        {
            var token = await File.ReadAllTextAsync(Path.Combine(settings.ServiceAccount, "token")).ConfigureAwait(false);
            using var http = new HttpClient(Handler()) { Timeout = Timeout, MaxResponseContentBufferSize = MaxAnswer };
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server, "/version"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
            using var response = await http.SendAsync(request).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw new ClusterUnavailableException($"The API server at {server} answered /version with HTTP {(int)response.StatusCode}.");
            return Version(await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false));
        }
        catch (OperationCanceledException late)
        {
            throw new ClusterUnavailableException($"The API server at {server} did not answer within {Timeout.TotalSeconds:0} s.", late);
        }
        catch (HttpRequestException failed)
        {
            throw new ClusterUnavailableException($"The API server at {server} cannot be reached: {(failed.InnerException ?? failed).Message}", failed);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ClusterUnavailableException($"The service account's files under {settings.ServiceAccount} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private SocketsHttpHandler Handler()
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(Path.Combine(settings.ServiceAccount, "ca.crt"));
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(roots);
        return new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy } };
    }

    private static string Version(byte[] answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            if (json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("gitVersion", out var version)
                && version.ValueKind == JsonValueKind.String
                && version.GetString() is { Length: > 0 } text)
                return text;
        }
        catch (JsonException)
        {
            // The same sentence as for JSON of another shape.
        }
        throw new ClusterUnavailableException("The API server's answer to /version has no gitVersion.");
    }
}

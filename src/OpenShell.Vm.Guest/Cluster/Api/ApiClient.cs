using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>
/// PID 1 as a client of the API server, with the administrator's certificate. A program that talks to it (kubectl) takes seconds to start on an emulated
/// processor; this is a connection. https://kubernetes.io/docs/reference/using-api/api-concepts/
/// </summary>
internal sealed partial class ApiClient : IDisposable
{
    private readonly HttpClient _http;
    private X509Certificate2? _identity;

    /// <summary>A client; nothing is connected yet.</summary>
    /// <param name="identity">Who asks.</param>
    /// <param name="trust">Who may answer.</param>
    public ApiClient(KeyPair identity, ServerTrust trust)
    {
        _identity = identity.Open();
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            SslOptions = new SslClientAuthenticationOptions
            {
                // Asked for at each new connection: by then it may be another's.
                LocalCertificateSelectionCallback = (_, _, _, _, _) => _identity,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 known && trust.Accepts(known),
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri(ClusterLayout.ApiServer), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Asks as this one from its next connection on. The one before stays valid for connections that there are.</summary>
    public void BecomeAnother(KeyPair identity) => Interlocked.Exchange(ref _identity, identity.Open());

    /// <summary>A client of whoever answers there; tests have servers of their own.</summary>
    public ApiClient(HttpClient http) => _http = http;

    /// <summary>Whether a URL answers 200.</summary>
    public async Task<bool> IsOkAsync(string url, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(url), cancellationToken).ConfigureAwait(false);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Reads an object; <see langword="null"/> when there is none.</summary>
    /// <exception cref="ApiException">Another refusal.</exception>
    public async Task<JsonDocument?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await _http.GetAsync(path, HttpCompletionOption.ResponseContentRead, cancellationToken).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return null;
        var body = await ReadAsync(answer, cancellationToken).ConfigureAwait(false);
        return JsonDocument.Parse(body);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _identity?.Dispose();
    }

    private static async Task<string> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var body = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return answer.IsSuccessStatusCode ? body : throw new ApiException(answer.StatusCode, body);
    }
}

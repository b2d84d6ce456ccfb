using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Guest.Pki;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>
/// PID 1 as a client of the API server, with the administrator's certificate. A program that talks to it (kubectl) takes seconds to start on an emulated
/// processor; this is a connection. https://kubernetes.io/docs/reference/using-api/api-concepts/
/// </summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly X509Certificate2 _identity;

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
                ClientCertificates = [_identity],
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 known && trust.Accepts(known),
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri(ClusterLayout.ApiServer), Timeout = Timeout.InfiniteTimeSpan };
    }

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

    /// <summary>Makes an object what a manifest says (server-side apply). https://kubernetes.io/docs/reference/using-api/server-side-apply/</summary>
    /// <param name="path">The object's own path.</param>
    /// <param name="manifest">YAML, or JSON, which is YAML.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ApiException">The API server refuses.</exception>
    public async Task ApplyAsync(string path, string manifest, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, path + "?fieldManager=openshell&force=true");
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(manifest));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/apply-patch+yaml");
        using var answer = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        await ReadAsync(answer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Follows objects until <paramref name="seen"/> says that it has seen enough; connects anew when the API server ends the watch.</summary>
    /// <param name="path">A list's path with its selectors.</param>
    /// <param name="seen">Gets every object that there is or comes, in its present state.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task WatchAsync(string path, Func<JsonElement, bool> seen, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                // Without a resource version a watch begins with what is there.
                await using var stream = await _http.GetStreamAsync(path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "watch=true", cancellationToken).ConfigureAwait(false);
                using var lines = new StreamReader(stream);
                while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
                {
                    using var change = JsonDocument.Parse(line);
                    if (change.RootElement.GetProperty("type").GetString() is "ADDED" or "MODIFIED" && seen(change.RootElement.GetProperty("object")))
                        return;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _identity.Dispose();
    }

    private static async Task<string> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var body = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return answer.IsSuccessStatusCode ? body : throw new ApiException(answer.StatusCode, body);
    }
}

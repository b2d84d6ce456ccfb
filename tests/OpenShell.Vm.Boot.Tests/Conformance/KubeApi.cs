using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>What the API server answered.</summary>
/// <param name="Status">HTTP's status.</param>
/// <param name="Body">An object; of a refusal, a Status with <c>message</c> and <c>reason</c>.</param>
internal sealed record ApiAnswer(HttpStatusCode Status, JsonElement Body)
{
    /// <summary>A refusal's sentence.</summary>
    public string Message => Body.Text("message") ?? "";

    /// <summary>The object, after making sure that it is one.</summary>
    public JsonElement OrFail()
    {
        ((int)Status).ShouldBeInRange(200, 299, Body.ToString());
        return Body;
    }
}

/// <summary>
/// The cluster's API as the host reaches it, with the kubeconfig's certificate. A request is cheaper than a kubectl, which asks for the description of all kinds first: what a test
/// waits for is polled by this. https://kubernetes.io/docs/reference/using-api/api-concepts/
/// </summary>
internal sealed partial class KubeApi : IDisposable
{
    private readonly HttpClient _http;
    private readonly string? _token;

    /// <summary>As whom the kubeconfig says.</summary>
    public KubeApi(string kubeconfig)
        : this(Read(kubeconfig, out var server, out var authority, out var user), server, authority, user)
    {
    }

    private KubeApi(string text, Uri server, X509Certificate2 authority, X509Certificate2? user, string? token = null)
    {
        Kubeconfig = text;
        _token = token;
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (user is not null)
            handler.SslOptions.ClientCertificates = [user];
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(authority);
        // An API server that was killed takes its connections along without a word.
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5);
        _http = new HttpClient(handler) { BaseAddress = server, Timeout = TimeSpan.FromMinutes(3) };
    }

    /// <summary>What it was made of.</summary>
    public string Kubeconfig { get; }

    /// <summary>The same API as whoever has a token, without the administrator's certificate.</summary>
    public KubeApi As(string token)
    {
        _ = Parse(Kubeconfig, out var server, out var authority, out _);
        return new KubeApi(Kubeconfig, server, authority, user: null, token);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>One request.</summary>
    /// <exception cref="HttpRequestException">Nobody answers.</exception>
    public async Task<ApiAnswer> SendAsync(HttpMethod method, string path, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (_token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(type));
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new ApiAnswer(answer.StatusCode, Json(text));
    }

    /// <summary>An object that is there.</summary>
    public async Task<JsonElement> GetAsync(string path) => (await SendAsync(HttpMethod.Get, path)).OrFail();

    /// <summary>What a condition asks for while it waits: <c>default</c> while nobody answers or nothing is there.</summary>
    public async Task<JsonElement> TryGetAsync(string path)
    {
        try
        {
            var answer = await SendAsync(HttpMethod.Get, path);
            return answer.Status == HttpStatusCode.OK ? answer.Body : default;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
        {
            return default;
        }
    }

    /// <summary>Makes the objects of a manifest, each in the namespace.</summary>
    public async Task CreateAsync(string space, string manifest)
    {
        foreach (var document in Separator().Split(manifest))
        {
            ApiAnswer answer;
            // "Retry after the token is automatically created": a namespace's account comes before its token, and the server says so.
            for (var attempts = 60; (answer = await TryCreateAsync(space, document)).Body.Text("reason") == "ServerTimeout" && attempts > 0; attempts--)
                await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            answer.OrFail();
        }
    }

    /// <summary>Makes an object.</summary>
    public Task<ApiAnswer> TryCreateAsync(string space, string document) => SendAsync(HttpMethod.Post, PathOf(space, document), document, "application/yaml");

    /// <summary>The collection into which an object goes.</summary>
    private static string PathOf(string space, string document)
    {
        var version = Version().Match(document).Groups[1].Value;
        var kind = Kind().Match(document).Groups[1].Value.ToLowerInvariant();
        var plural = kind.EndsWith('y') ? kind[..^1] + "ies" : kind + "s";
        return $"/{(version.Contains('/', StringComparison.Ordinal) ? "apis" : "api")}/{version}/namespaces/{space}/{plural}";
    }

    private static JsonElement Json(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(text);
        }
    }

    private static string Read(string kubeconfig, out Uri server, out X509Certificate2 authority, out X509Certificate2? user) =>
        Parse(File.ReadAllText(kubeconfig), out server, out authority, out user);

    private static string Parse(string text, out Uri server, out X509Certificate2 authority, out X509Certificate2? user)
    {
        server = new Uri(Value("server"));
        authority = X509Certificate2.CreateFromPem(Pem("certificate-authority-data"));
        user = X509Certificate2.CreateFromPem(Pem("client-certificate-data"), Pem("client-key-data"));
        return text;

        string Pem(string key) => Encoding.ASCII.GetString(Convert.FromBase64String(Value(key)));

        string Value(string key) => Regex.Match(text, $@"^\s*{key}: (\S+)", RegexOptions.Multiline).Groups[1].Value;
    }

    [GeneratedRegex(@"^---\n", RegexOptions.Multiline)]
    private static partial Regex Separator();

    [GeneratedRegex(@"^apiVersion: (\S+)", RegexOptions.Multiline)]
    private static partial Regex Version();

    [GeneratedRegex(@"^kind: (\S+)", RegexOptions.Multiline)]
    private static partial Regex Kind();
}

/// <summary>Reads what may be missing.</summary>
internal static class KubeJson
{
    /// <summary>What is at a path of keys and indexes, such as <c>status.containerStatuses.0.ready</c>, as text; <see langword="null"/> when it is not there.</summary>
    public static string? Text(this JsonElement item, string path)
    {
        foreach (var part in path.Split('.'))
        {
            if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty(part, out var child))
                item = child;
            else if (item.ValueKind == JsonValueKind.Array && int.TryParse(part, out var index) && index < item.GetArrayLength())
                item = item[index];
            else
                return null;
        }

        return item.ToString();
    }

    /// <summary>The items of a list.</summary>
    public static IReadOnlyList<JsonElement> Items(this JsonElement list, string key = "items") =>
        list.ValueKind == JsonValueKind.Object && list.TryGetProperty(key, out var items) ? [.. items.EnumerateArray()] : [];

    /// <summary>Whether a pod is ready.</summary>
    public static bool IsReady(this JsonElement pod) => pod.ValueKind == JsonValueKind.Object && pod.TryGetProperty("status", out var status)
        && status.Items("conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");
}

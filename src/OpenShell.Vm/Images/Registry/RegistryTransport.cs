using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace OpenShell.Vm.Images.Registry;

/// <summary>
/// The way to one registry: says who asks where that is wanted, and follows redirects. What says who asks goes to the registry itself and nowhere else: blobs
/// are often kept by others.
/// </summary>
internal sealed class RegistryTransport : DelegatingHandler
{
    private readonly ImageReference _reference;
    private readonly DockerCredentials _credentials;
    private readonly SemaphoreSlim _asking = new(1);
    private AuthenticationHeaderValue? _authorization;

    public RegistryTransport(ImageReference reference, DockerCredentials credentials)
        : base(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(20),
            Proxy = new DirectToLoopback(),
        })
    {
        _reference = reference;
        _credentials = credentials;
    }

    private string Image => _reference.ToString();

    /// <summary>What a registry says is wrong; <see langword="null"/> where it says nothing that can be read.</summary>
    public static async Task<string?> SaidAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        try
        {
            var body = await ReadAsync(answer, RegistryLimits.Answer, cancellationToken).ConfigureAwait(false);
            var error = body is null ? null : JsonSerializer.Deserialize(body, RegistryJson.Default.RegistryErrors)?.Errors is [var first, ..] ? first : null;
            var said = error is null ? null : string.IsNullOrEmpty(error.Message) ? error.Code : error.Message;
            return said is null ? null : new string([.. said.Take(200).Select(c => char.IsControl(c) ? ' ' : c)]).TrimEnd('.');
        }
        catch (Exception e) when (e is JsonException or HttpRequestException or IOException)
        {
            return null;
        }
    }

    /// <summary>A body that is not larger than it may be; <see langword="null"/>: it is.</summary>
    public static async Task<byte[]?> ReadAsync(HttpResponseMessage answer, int limit, CancellationToken cancellationToken)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var content = new MemoryStream();
        var buffer = new byte[1 << 14];
        while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            if (content.Length + read > limit)
                return null;
            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var used = _authorization;
        var answer = await FollowAsync(request, used, cancellationToken).ConfigureAwait(false);
        if (answer is { StatusCode: HttpStatusCode.Unauthorized, RequestMessage.RequestUri: { } asked } && IsRegistry(asked))
        {
            var challenges = AuthenticationChallenge.Of(answer);
            answer.Dispose();
            await IntroduceAsync(challenges, used, cancellationToken).ConfigureAwait(false);
            answer = await FollowAsync(request, _authorization, cancellationToken).ConfigureAwait(false);
        }

        if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            using (answer)
                throw Unauthorized(await SaidAsync(answer, cancellationToken).ConfigureAwait(false));
        }

        return answer;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _asking.Dispose();
        base.Dispose(disposing);
    }

    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage original, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        var address = original.RequestUri!;
        for (var redirects = 0; ; redirects++)
        {
            // A request can be sent only once.
            var request = new HttpRequestMessage(original.Method, address) { Version = original.Version, VersionPolicy = original.VersionPolicy };
            foreach (var (name, values) in original.Headers)
                request.Headers.TryAddWithoutValidation(name, values);
            request.Headers.Authorization = IsRegistry(address) ? authorization : null;
            var answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if ((int)answer.StatusCode is not (301 or 302 or 303 or 307 or 308))
                return answer;
            var next = answer.Headers.Location is { } location ? new Uri(address, location) : null;
            answer.Dispose();
            if (next is null || redirects == RegistryLimits.Redirects)
                throw RegistryFaults.Redirected(Image, address, next, next is null ? "it does not say where to" : "that is one redirect too many");
            if (!IsAllowed(next))
                throw RegistryFaults.Redirected(Image, address, next, "there, nothing would be encrypted");
            address = next;
        }
    }

    /// <summary>Gets what the registry wants to see: a token, or the password itself.</summary>
    private async Task IntroduceAsync(IReadOnlyList<AuthenticationChallenge> challenges, AuthenticationHeaderValue? refused, CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Another request has a new one already.
            if (_authorization is not null && _authorization != refused)
                return;
            var user = _credentials.Find(_reference.Host);
            foreach (var challenge in challenges)
            {
                if (challenge.IsBearer)
                    _authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(challenge, user, cancellationToken).ConfigureAwait(false));
                else if (user is { Password.Length: > 0 })
                    _authorization = new AuthenticationHeaderValue("Basic", user.Basic);
                else
                    continue;
                return;
            }

            throw Unauthorized(null);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<string> TokenAsync(AuthenticationChallenge challenge, RegistryUser? user, CancellationToken cancellationToken)
    {
        if (!challenge.Parameters.TryGetValue("realm", out var realm) || !Uri.TryCreate(realm, UriKind.Absolute, out var server) || !server.Scheme.StartsWith("http", StringComparison.Ordinal))
            throw RegistryFaults.Malformed(Image, "its registry wants a token, and does not say of whom");
        if (!IsAllowed(server))
            throw RegistryFaults.Redirected(Image, _reference.Registry, server, "it wants a token from there, and nothing would be encrypted");
        var service = challenge.Parameters.GetValueOrDefault("service");
        var scope = challenge.Parameters.GetValueOrDefault("scope") ?? $"repository:{_reference.Repository}:pull";
        using var request = user?.IdentityToken is { } identity
            ? new HttpRequestMessage(HttpMethod.Post, server)
            {
                // https://distribution.github.io/distribution/spec/auth/oauth/
                Content = new FormUrlEncodedContent(new Dictionary<string, string>
                {
                    ["grant_type"] = "refresh_token",
                    ["service"] = service ?? "",
                    ["client_id"] = "openshell-vm",
                    ["scope"] = scope,
                    ["refresh_token"] = identity,
                }),
            }
            : new HttpRequestMessage(HttpMethod.Get, new UriBuilder(server) { Query = Query(server, service, scope) }.Uri);
        if (user is { IdentityToken: null })
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", user.Basic);
        HttpResponseMessage answer;
        try
        {
            answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw RegistryFaults.Unreachable(Image, server, e);
        }

        using (answer)
        {
            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest)
                throw Unauthorized(await SaidAsync(answer, cancellationToken).ConfigureAwait(false));
            if (!answer.IsSuccessStatusCode)
                throw RegistryFaults.Refused(Image, server, answer.StatusCode, await SaidAsync(answer, cancellationToken).ConfigureAwait(false));
            try
            {
                var body = await ReadAsync(answer, RegistryLimits.Answer, cancellationToken).ConfigureAwait(false);
                var token = body is null ? null : JsonSerializer.Deserialize(body, RegistryJson.Default.TokenAnswer);
                return (string.IsNullOrEmpty(token?.Token) ? token?.AccessToken : token.Token) is { Length: > 0 } got && got.All(c => c is > ' ' and < (char)127)
                    ? got
                    : throw RegistryFaults.Malformed(Image, $"{server.Host} gives no token");
            }
            catch (JsonException e)
            {
                throw RegistryFaults.Malformed(Image, $"{server.Host} gives no token", e);
            }
        }
    }

    private static string Query(Uri server, string? service, string scope)
    {
        var words = new List<string>();
        if (server.Query.Length > 1)
            words.Add(server.Query[1..]);
        if (service is not null)
            words.Add("service=" + Uri.EscapeDataString(service));
        words.AddRange(scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => "scope=" + Uri.EscapeDataString(s)));
        return string.Join('&', words);
    }

    private bool IsRegistry(Uri address) =>
        Uri.Compare(address, _reference.Registry, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    // Unencrypted only where the user said so, and from this machine to itself.
    private bool IsAllowed(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps
        || (address.Scheme == Uri.UriSchemeHttp && _reference.Registry.Scheme == Uri.UriSchemeHttp && (_reference.AllowsPlainHttp || address.IsLoopback));

    private Faults.FaultException Unauthorized(string? said) =>
        RegistryFaults.Unauthorized(Image, _reference.Host, _credentials.Find(_reference.Host) is not null, _credentials.HasHelper(_reference.Host), said);

    /// <summary>The proxies of the environment, but not between this machine and itself.</summary>
    private sealed class DirectToLoopback : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => HttpClient.DefaultProxy.Credentials;
            set => throw new NotSupportedException();
        }

        public Uri? GetProxy(Uri destination) => destination.IsLoopback ? null : HttpClient.DefaultProxy.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || HttpClient.DefaultProxy.IsBypassed(host);
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OpenShell.Tests.Registry;

/// <summary>The part of a registry that pulling needs (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull), on loopback.</summary>
internal sealed class LoopbackRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, (byte[]? Content, string? File, string Type)> _content = new();
    private readonly ConcurrentDictionary<string, string> _tags = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly Settings _settings;
    private int _tokens;

    private LoopbackRegistry(WebApplication app, Settings settings) => (_app, _settings) = (app, settings);

    /// <summary>How it behaves.</summary>
    public sealed record Settings
    {
        /// <summary>Serve with TLS and this certificate.</summary>
        public X509Certificate2? Certificate { get; init; }

        /// <summary>Only for this user, by basic authentication.</summary>
        public (string User, string Password)? Basic { get; init; }

        /// <summary>Only with a token of its own; with <see cref="TokenUser"/>, only that user gets one.</summary>
        public bool Tokens { get; init; }

        /// <summary>Who gets tokens; <see langword="null"/>: everybody.</summary>
        public (string User, string Password)? TokenUser { get; init; }
    }

    /// <summary>Looks at a request before it is answered; <see langword="true"/>: it has answered itself.</summary>
    public Func<HttpContext, Task<bool>>? Intercept { get; set; }

    public int Port => new Uri(_app.Urls.Single()).Port;

    /// <summary>Each as <c>METHOD PATH</c>, with the scheme of its authentication and its range behind it.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>Tokens given away.</summary>
    public int TokensGiven => _tokens;

    /// <summary>Starts it.</summary>
    public static async Task<LoopbackRegistry> StartAsync(Settings? settings = null)
    {
        settings ??= new Settings();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (settings.Certificate is { } certificate)
                listen.UseHttps(certificate);
        }));
        if (settings.Certificate is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        var registry = new LoopbackRegistry(app, settings);
        app.Run(registry.AnswerAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return registry;
    }

    /// <summary>Keeps a blob or a manifest; returns its digest.</summary>
    public string Add(byte[] content, string type = "application/octet-stream")
    {
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        _content[digest] = (content, null, type);
        return digest;
    }

    /// <summary>Keeps a blob that is a file.</summary>
    public string AddFile(string path)
    {
        using var file = File.OpenRead(path);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(file));
        _content[digest] = (null, path, "application/octet-stream");
        return digest;
    }

    /// <summary>Gives a manifest that is kept a name, or another one.</summary>
    public void Tag(string repository, string tag, string digest) => _tags[repository + ":" + tag] = digest;

    /// <summary>Damages what is kept under a digest.</summary>
    public void Replace(string digest, byte[] content) => _content[digest] = (content, null, _content[digest].Type);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        _requests.Enqueue(string.Join(' ', new[] { context.Request.Method, context.Request.Path.Value, authorization.Split(' ')[0], context.Request.Headers.Range.ToString() }.Where(w => !string.IsNullOrEmpty(w))));
        if (Intercept is { } intercept && await intercept(context))
            return;
        var path = context.Request.Path.Value!;
        if (path == "/token")
        {
            await TokenAsync(context, authorization);
            return;
        }

        if (_settings.Basic is { } basic && authorization != Basic(basic))
        {
            Refuse(context, "Basic realm=\"test\"");
            return;
        }

        if (_settings.Tokens && authorization != $"Bearer token-{_tokens}")
        {
            Refuse(context, $"Bearer realm=\"{_app.Urls.Single()}/token\",service=\"loopback \\\"test\\\"\",scope=\"repository:{RepositoryOf(path)}:pull\"");
            return;
        }

        var words = path.Split('/');
        var (repository, what, name) = words.Length < 5 ? ("", "", "") : (RepositoryOf(path), words[^2], words[^1]);
        var digest = name.StartsWith("sha256:", StringComparison.Ordinal) ? name : _tags.GetValueOrDefault(repository + ":" + name);
        var answer = path == "/v2/" ? Results.Ok()
            : what is not ("manifests" or "blobs") || digest is null || !_content.TryGetValue(digest, out var found) ? NotFound()
            : found.File is { } file ? Results.File(file, found.Type, enableRangeProcessing: true)
            : Results.Bytes(found.Content!, found.Type, enableRangeProcessing: true);
        if (digest is not null)
            context.Response.Headers["Docker-Content-Digest"] = digest;
        await answer.ExecuteAsync(context);
    }

    private async Task TokenAsync(HttpContext context, string authorization)
    {
        if (_settings.TokenUser is { } user && authorization != Basic(user))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        if (context.Request.Query["service"] != "loopback \"test\"" || !context.Request.Query["scope"].ToString().EndsWith(":pull", StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"token":"token-{{Interlocked.Increment(ref _tokens)}}","expires_in":60}""");
    }

    private static void Refuse(HttpContext context, string challenge)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = challenge;
    }

    private static IResult NotFound() => Results.Text("""{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}""", "application/json", Encoding.UTF8, StatusCodes.Status404NotFound);

    private static string RepositoryOf(string path) => path.Split('/') is { Length: >= 5 } words ? string.Join('/', words[2..^2]) : "";

    private static string Basic((string User, string Password) user) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user.User}:{user.Password}"));
}

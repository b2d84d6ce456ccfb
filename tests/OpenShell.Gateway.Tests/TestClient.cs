using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests;

/// <summary>A client that frames gRPC by hand, so that it can also frame it wrongly.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly HttpClient _http;

    public TestClient(Uri endpoint, TestPki trusted, X509Certificate2? certificate)
    {
        var tls = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, CustomTrustStore = { trusted.Ca } },
        };
        if (certificate is not null)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = tls })
        {
            BaseAddress = endpoint,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    public static byte[] Frame(ReadOnlySpan<byte> message, byte compressed = 0)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = compressed;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }

    /// <summary>Sends a whole request body and takes the whole answer.</summary>
    public async Task<Answer> CallAsync(string path, byte[] body, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(path, body, headers);
        var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return new Answer(response, bytes);
    }

    /// <summary>Sends a whole request body and returns as soon as there are headers.</summary>
    public Task<HttpResponseMessage> SendAsync(string path, byte[] body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach (var (name, value) in headers)
        {
            if (name == "content-type")
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            else if (name == ":method")
                request.Method = new HttpMethod(value);
            else
                request.Headers.Add(name, value);
        }
        if (request.Method == HttpMethod.Get)
            request.Content = null;
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public void Dispose() => _http.Dispose();

    internal sealed class Answer(HttpResponseMessage response, byte[] body)
    {
        public HttpStatusCode Http { get; } = response.StatusCode;

        public byte[] Body { get; } = body;

        /// <summary>The one message of the answer.</summary>
        public byte[] Message
        {
            get
            {
                BinaryPrimitives.ReadInt32BigEndian(Body.AsSpan(1)).ShouldBe(Body.Length - 5);
                return Body[5..];
            }
        }

        public bool TrailersOnly { get; } = response.Headers.Contains("grpc-status");

        public int? Status { get; } = Find(response, "grpc-status") is { } status ? int.Parse(status, CultureInfo.InvariantCulture) : null;

        public string? StatusMessage { get; } = Find(response, "grpc-message");

        public string? AcceptEncoding { get; } = Find(response, "grpc-accept-encoding");

        public string? ContentType { get; } = response.Content.Headers.ContentType?.ToString();

        private static string? Find(HttpResponseMessage response, string name) =>
            response.Headers.TryGetValues(name, out var values) || response.TrailingHeaders.TryGetValues(name, out values) ? values.Single() : null;
    }
}

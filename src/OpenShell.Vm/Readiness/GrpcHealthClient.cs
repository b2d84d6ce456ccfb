using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OpenShell.Vm.Readiness;

/// <summary>What a gRPC server says about one of its services (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). The numbers are those on the wire.</summary>
public enum HealthStatus
{
    /// <summary>The server does not know yet.</summary>
    Unknown = 0,

    /// <summary>It serves.</summary>
    Serving = 1,

    /// <summary>It is up and does not serve.</summary>
    NotServing = 2,

    /// <summary>It has no such service; only sent to watchers.</summary>
    ServiceUnknown = 3,
}

/// <summary>A gRPC server answered a call with a status other than OK.</summary>
public sealed class GrpcStatusException(int status, string message)
    : Exception(string.Create(CultureInfo.InvariantCulture, $"gRPC status {status}: {message}"))
{
    /// <summary>The number, as in https://github.com/grpc/grpc/blob/master/doc/statuscodes.md.</summary>
    public int Status { get; } = status;
}

/// <summary>
/// One unary call of <c>grpc.health.v1.Health/Check</c> over mutual TLS, each on a connection of its own: whether the <i>next</i> client
/// gets an answer is the question. The wire is https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, as much of it as one unary call needs.
/// </summary>
public static class GrpcHealthClient
{
    private const int FrameHeader = 5;

    // A health answer has two bytes; whoever sends more than this is no health service.
    private const int MaxMessage = 4096;

    /// <summary>Asks <paramref name="endpoint"/> for the health of <paramref name="service"/>.</summary>
    /// <param name="endpoint">Such as <c>https://127.0.0.1:30051</c>; its host must be among the names of the server's certificate.</param>
    /// <param name="ca">The only root by which the server's certificate is trusted.</param>
    /// <param name="client">The client's certificate, with its private key.</param>
    /// <param name="service">A full service name, or the empty string for the server as a whole.</param>
    /// <param name="timeout">For connection, handshake and answer together.</param>
    /// <param name="cancellationToken">Ends the call early.</param>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="HttpRequestException">No connection, no trust (the inner exception says why), or an answer that is not gRPC.</exception>
    /// <exception cref="GrpcStatusException">The server answered with a status other than OK.</exception>
    public static async Task<HealthStatus> CheckAsync(
        Uri endpoint, X509Certificate2 ca, X509Certificate2 client, string service, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            using var http = new HttpClient(Handler(ca, client)) { Timeout = Timeout.InfiniteTimeSpan };
            using var request = Request(endpoint, service, timeout);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            return await ReadAsync(response, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException cancelled) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"No health answer from {endpoint} within {timeout.TotalSeconds:0.###} s."), cancelled);
        }
    }

    private static SocketsHttpHandler Handler(X509Certificate2 ca, X509Certificate2 client) => new()
    {
        // A proxy of the environment has no business between this process and its own VM.
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            // A context is always sent; a plain certificate list only when the server's list of issuers happens to match.
            ClientCertificateContext = SslStreamCertificateContext.Create(client, additionalCertificates: null, offline: true),
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { ca },
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
        },
    };

    private static HttpRequestMessage Request(Uri endpoint, string service, TimeSpan timeout)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint, "/grpc.health.v1.Health/Check"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Frame(service)) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        // At most eight digits may stand before the unit, here milliseconds.
        request.Headers.Add("grpc-timeout", string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp((long)timeout.TotalMilliseconds, 1, 99_999_999)}m"));
        return request;
    }

    // HealthCheckRequest { string service = 1; }, behind its frame: one byte "not compressed", four bytes length, big-endian.
    private static byte[] Frame(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        using var frame = new MemoryStream();
        frame.Write(stackalloc byte[FrameHeader]);
        if (name.Length > 0)
        {
            frame.WriteByte((1 << 3) | 2);
            for (var rest = (uint)name.Length; ; rest >>= 7)
            {
                frame.WriteByte((byte)(rest > 0x7f ? rest | 0x80 : rest));
                if (rest <= 0x7f)
                    break;
            }
            frame.Write(name);
        }
        var bytes = frame.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), (uint)(bytes.Length - FrameHeader));
        return bytes;
    }

    private static async Task<HealthStatus> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.OK || response.Content.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.Ordinal) != true)
            throw new HttpRequestException($"The server answered with HTTP {(int)response.StatusCode} and content type '{response.Content.Headers.ContentType}', not with gRPC.", null, response.StatusCode);

        var body = new byte[FrameHeader + MaxMessage];
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);

        // The status comes after the message, or, when there is no message, already with the headers.
        var status = Header(response.TrailingHeaders, "grpc-status") ?? Header(response.Headers, "grpc-status");
        if (!int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            throw new HttpRequestException($"The server ended the call without a gRPC status ('{status}').");
        if (code != 0)
            throw new GrpcStatusException(code, Uri.UnescapeDataString(Header(response.TrailingHeaders, "grpc-message") ?? Header(response.Headers, "grpc-message") ?? ""));
        return Parse(body.AsSpan(0, length));
    }

    private static string? Header(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? values.First() : null;

    // HealthCheckResponse { ServingStatus status = 1; }: absent means 0. Fields that a later version may add are skipped.
    internal static HealthStatus Parse(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FrameHeader || frame[0] != 0 || BinaryPrimitives.ReadUInt32BigEndian(frame[1..]) != frame.Length - FrameHeader)
            throw new HttpRequestException("The server's answer is not one whole, uncompressed gRPC message.");
        var status = HealthStatus.Unknown;
        for (var rest = frame[FrameHeader..]; rest.Length > 0;)
        {
            var tag = Varint(ref rest);
            var number = tag >> 3;
            switch (tag & 7)
            {
                case 0:
                    var value = Varint(ref rest);
                    status = number == 1 ? (HealthStatus)value : status;
                    break;
                case 1:
                    Skip(ref rest, 8);
                    break;
                case 2:
                    Skip(ref rest, Varint(ref rest));
                    break;
                case 5:
                    Skip(ref rest, 4);
                    break;
                default:
                    throw new HttpRequestException("The server's health message is malformed.");
            }
        }
        return status;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var i = 0; i < Math.Min(bytes.Length, 10); i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return value;
            }
        }
        throw new HttpRequestException("The server's health message is malformed.");
    }

    private static void Skip(ref ReadOnlySpan<byte> bytes, ulong count) =>
        bytes = count <= (ulong)bytes.Length ? bytes[(int)count..] : throw new HttpRequestException("The server's health message is malformed.");
}

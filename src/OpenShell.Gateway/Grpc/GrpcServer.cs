using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Gateway.Grpc;

/// <summary>
/// gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) on top of Kestrel, which does HTTP/2 itself: finds the
/// method, keeps the deadline, and turns every end of a call into a status.
/// </summary>
internal sealed partial class GrpcServer(IEnumerable<IGrpcService> services, TimeProvider time, ILogger<GrpcServer> log)
{
    private const string ContentType = "application/grpc";

    private readonly FrozenDictionary<string, GrpcMethod> _methods = services
        .SelectMany(service => service.Methods, (service, method) => KeyValuePair.Create($"/{service.Name}/{method.Name}", method))
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Answers one HTTP request of a client that has shown <paramref name="client"/>.</summary>
    public async Task HandleAsync(HttpContext context, X509Certificate2 client)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = HttpMethods.Post;
        }
        else if (!IsGrpc(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        }
        else
        {
            await CallAsync(context, client).ConfigureAwait(false);
        }
    }

    // "application/grpc", also with "+proto" or parameters behind it; but not "application/grpc-web", which is another protocol.
    private static bool IsGrpc(string? type) =>
        type is not null && type.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (type.Length == ContentType.Length || type[ContentType.Length] is '+' or ';' or ' ');

    private async Task CallAsync(HttpContext context, X509Certificate2 client)
    {
        context.Response.ContentType = ContentType;
        context.Response.Headers["grpc-accept-encoding"] = "identity";

        GrpcCall? call = null;
        CancellationTokenSource? deadline = null;
        try
        {
            var method = Find(context.Request.Path);
            if (GrpcTimeout.Parse(context.Request.Headers["grpc-timeout"]) is { } timeout)
                deadline = new CancellationTokenSource(timeout, time);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, deadline?.Token ?? default);
            call = new GrpcCall(context, client, end.Token);
            await method.InvokeAsync(call).ConfigureAwait(false);
            End(context.Response, call, GrpcStatusCode.Ok, "");
        }
        catch (GrpcException refusal)
        {
            End(context.Response, call, refusal.Status, refusal.Message);
        }
        catch (Exception cancelled) when (context.RequestAborted.IsCancellationRequested && cancelled is OperationCanceledException or IOException)
        {
            // The client reset the stream or is gone: there is nobody to tell.
        }
        catch (OperationCanceledException) when (deadline is { IsCancellationRequested: true })
        {
            End(context.Response, call, GrpcStatusCode.DeadlineExceeded, "The deadline has passed.");
        }
#pragma warning disable CA1031 // Whatever a method throws ends its own call and nothing else; the client learns no details.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            MethodFailed(log, context.Request.Path, failure);
            End(context.Response, call, GrpcStatusCode.Unknown, "The method failed; the gateway's log says why.");
        }
        finally
        {
            deadline?.Dispose();
        }
    }

    private GrpcMethod Find(string? path) =>
        _methods.TryGetValue(path ?? "", out var method)
            ? method
            : throw new GrpcException(GrpcStatusCode.Unimplemented, $"There is no method '{path}'.");

    // After a message the status stands in trailers. Without one it stands in the only header block ("Trailers-Only"), which is for errors.
    private static void End(HttpResponse response, GrpcCall? call, GrpcStatusCode status, string message)
    {
        var number = ((int)status).ToString(CultureInfo.InvariantCulture);
        var text = PercentEncoding.Encode(message);
        if (status == GrpcStatusCode.Ok || call is { HasWritten: true })
        {
            response.AppendTrailer("grpc-status", number);
            if (text.Length > 0)
                response.AppendTrailer("grpc-message", text);
        }
        else
        {
            response.Headers["grpc-status"] = number;
            if (text.Length > 0)
                response.Headers["grpc-message"] = text;
        }
    }

    [LoggerMessage(LogLevel.Error, "{Path} failed.")]
    private static partial void MethodFailed(ILogger log, string path, Exception failure);
}

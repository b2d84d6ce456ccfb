using System.Net;
using System.Text.Json;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>The API server refused a request.</summary>
internal sealed class ApiException(HttpStatusCode status, string body) : Exception($"{(int)status}: {MessageOf(body)}")
{
    /// <summary>The HTTP status.</summary>
    public HttpStatusCode Status => status;

    /// <summary>Whether the same request may be accepted a moment later: the server is starting, overloaded, or lacks something that is on its way.</summary>
    public bool IsTransient => (int)status >= 500 || status is HttpStatusCode.TooManyRequests or HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.Conflict;

    /// <summary>A Status object carries its sentence in "message".</summary>
    private static string MessageOf(string body)
    {
        try
        {
            using var parsed = JsonDocument.Parse(body);
            return parsed.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? body : body;
        }
        catch (JsonException)
        {
            return body.Length > 300 ? body[..300] : body;
        }
    }
}

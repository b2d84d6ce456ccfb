using System.Net.Mime;
using OpenShell.Gateway.Health;

namespace OpenShell.Gateway.Probes;

/// <summary>
/// What the kubelet asks, on a port of its own and without TLS, since it has no client certificate: yes or no, and nothing else (docs/adr/0010).
/// </summary>
internal sealed class ProbeEndpoint(HealthBoard board)
{
    /// <summary>Answers one HTTP request.</summary>
    public Task HandleAsync(HttpContext context)
    {
        var alive = context.Request.Path.Value switch
        {
            "/livez" => true,
            "/readyz" => board.Find("") == ServingStatus.Serving,
            _ => (bool?)null,
        };
        context.Response.StatusCode = (alive, HttpMethods.IsGet(context.Request.Method)) switch
        {
            (null, _) => StatusCodes.Status404NotFound,
            (_, false) => StatusCodes.Status405MethodNotAllowed,
            (true, _) => StatusCodes.Status200OK,
            (false, _) => StatusCodes.Status503ServiceUnavailable,
        };
        context.Response.ContentType = MediaTypeNames.Text.Plain;
        return context.Response.StatusCode switch
        {
            StatusCodes.Status200OK => context.Response.WriteAsync("ok\n"),
            StatusCodes.Status503ServiceUnavailable => context.Response.WriteAsync("not serving\n"),
            _ => Task.CompletedTask,
        };
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>Objects made, changed and taken away.</summary>
internal sealed partial class ApiClient
{
    /// <summary>Makes an object what a manifest says (server-side apply). https://kubernetes.io/docs/reference/using-api/server-side-apply/</summary>
    /// <param name="path">The object's own path.</param>
    /// <param name="manifest">YAML, or JSON, which is YAML.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ApiException">The API server refuses.</exception>
    public async Task ApplyAsync(string path, string manifest, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(
            HttpMethod.Patch, path + "?fieldManager=openshell&force=true", manifest, "application/apply-patch+yaml", cancellationToken).ConfigureAwait(false);
        await ReadAsync(answer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes an object.</summary>
    /// <param name="path">Its collection's path.</param>
    /// <param name="item">The object.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns><see langword="false"/> when there is one of that name already; it is left as it is.</returns>
    /// <exception cref="ApiException">The API server refuses for another reason.</exception>
    public async Task<bool> CreateAsync(string path, JsonObject item, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Post, path, item.ToJsonString(), "application/json", cancellationToken).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.Conflict)
            return false;
        await ReadAsync(answer, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Changes parts of an object (RFC 7386: what is null is taken away, lists are replaced).</summary>
    /// <returns><see langword="false"/> when there is no such object.</returns>
    /// <exception cref="ApiException">The API server refuses; <see cref="HttpStatusCode.Conflict"/> when <c>metadata.resourceVersion</c> is given and is not the present one.</exception>
    public async Task<bool> MergeAsync(string path, JsonObject change, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Patch, path, change.ToJsonString(), "application/merge-patch+json", cancellationToken).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return false;
        await ReadAsync(answer, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Takes an object away, and in the background what it owns.</summary>
    /// <param name="path">The object's own path.</param>
    /// <param name="uid">Only the object with this identity, not a later one of the same name; <see langword="null"/>: any.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ApiException">The API server refuses. That there is no such object is no refusal.</exception>
    public async Task DeleteAsync(string path, string? uid, CancellationToken cancellationToken)
    {
        var options = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["propagationPolicy"] = "Background" };
        if (uid is not null)
            options["preconditions"] = new JsonObject { ["uid"] = uid };
        using var answer = await SendAsync(HttpMethod.Delete, path, options.ToJsonString(), "application/json", cancellationToken).ConfigureAwait(false);
        if (answer.StatusCode != HttpStatusCode.NotFound)
            await ReadAsync(answer, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string body, string type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }
}

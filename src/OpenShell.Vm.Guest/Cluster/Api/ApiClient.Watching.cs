using System.Text.Json;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>Objects followed as they come and go.</summary>
internal sealed partial class ApiClient
{
    // What the server calls 410 Gone is answered like every other break: by a new list. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
    private static readonly TimeSpan PauseBeforeNextTry = TimeSpan.FromMilliseconds(500);

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
                await Task.Delay(PauseBeforeNextTry, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Follows all objects of a kind for good: their list, then every change of it, and the list anew whenever the thread of changes is lost.</summary>
    /// <param name="path">The list's path, without a query.</param>
    /// <param name="listed">Gets the list's items; what was known before is outdated.</param>
    /// <param name="changed">Gets the type of a change, <c>ADDED</c>, <c>MODIFIED</c> or <c>DELETED</c>, and the object.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FollowAsync(string path, Action<JsonElement> listed, Action<string, JsonElement> changed, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                string? version;
                using (var list = await GetAsync(path, cancellationToken).ConfigureAwait(false) ?? throw new IOException($"{path} is not there."))
                {
                    version = list.RootElement.Text("metadata", "resourceVersion");
                    listed(list.RootElement.GetProperty("items"));
                }

                while (version is not null)
                {
                    version = await FollowFromAsync(path, version, changed, cancellationToken).ConfigureAwait(false);
                    // However soon it was ended: a server that is in trouble is not to be asked without a break.
                    await Task.Delay(PauseBeforeNextTry, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException or ApiException)
            {
                await Task.Delay(PauseBeforeNextTry, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <returns>The version up to which all is seen; <see langword="null"/> when the server does not know the way from there any more.</returns>
    private async Task<string?> FollowFromAsync(string path, string version, Action<string, JsonElement> changed, CancellationToken cancellationToken)
    {
        // The server ends it after this time: a watch that is dead without having been ended is not for ever.
        const string Query = "?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=";
        await using var stream = await _http.GetStreamAsync(path + Query + version, cancellationToken).ConfigureAwait(false);
        using var lines = new StreamReader(stream);
        while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            using var change = JsonDocument.Parse(line);
            var type = change.RootElement.Text("type");
            if (type is not ("ADDED" or "MODIFIED" or "DELETED" or "BOOKMARK"))
                return null;
            var item = change.RootElement.GetProperty("object");
            version = item.Text("metadata", "resourceVersion") ?? version;
            if (type != "BOOKMARK")
                changed(type, item);
        }

        return version;
    }
}

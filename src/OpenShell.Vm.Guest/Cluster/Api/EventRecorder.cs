using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>
/// Tells people who look at an object (<c>kubectl describe</c>) what was done about it or why not; the guest's console too, for what went wrong. The same is said once.
/// https://v1-20.docs.kubernetes.io/docs/reference/generated/kubernetes-api/v1.20/#event-v1-core
/// </summary>
internal sealed class EventRecorder(ApiClient api)
{
    private const string Component = "openshell-init";

    // What was said, so that a refusal which is found again with every look is not an event with every look.
    private readonly ConcurrentDictionary<(ObjectReference, string, string), bool> _said = new();

    /// <summary>All is well.</summary>
    public Task NormalAsync(ObjectReference about, string reason, string message, CancellationToken cancellationToken) =>
        SayAsync(about, "Normal", reason, message, cancellationToken);

    /// <summary>All is not.</summary>
    public Task WarnAsync(ObjectReference about, string reason, string message, CancellationToken cancellationToken) =>
        SayAsync(about, "Warning", reason, message, cancellationToken);

    private async Task SayAsync(ObjectReference about, string type, string reason, string message, CancellationToken cancellationToken)
    {
        if (!_said.TryAdd((about, reason, message), true))
            return;
        if (type == "Warning")
            KernelConsole.Say($"{about}: {reason}: {message}");
        var space = about.Namespace ?? "default";
        var now = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        try
        {
            await api.CreateAsync($"/api/v1/namespaces/{space}/events", new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Event",
                ["metadata"] = new JsonObject { ["generateName"] = about.Name + ".", ["namespace"] = space },
                ["involvedObject"] = about.ToJson(),
                ["type"] = type,
                ["reason"] = reason,
                // The API server takes 1024 bytes.
                ["message"] = message.Length > 900 ? message[..900] + "…" : message,
                ["source"] = new JsonObject { ["component"] = Component },
                ["reportingComponent"] = "",
                ["reportingInstance"] = "",
                ["firstTimestamp"] = now,
                ["lastTimestamp"] = now,
                ["count"] = 1,
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException)
        {
            // An event is a courtesy; what it is about goes on.
            KernelConsole.Say($"the event {reason} about {about} could not be written: {exception.Message}");
        }
    }
}

/// <summary>Names an object.</summary>
/// <param name="ApiVersion">Such as <c>v1</c>.</param>
/// <param name="Kind">Such as <c>PersistentVolumeClaim</c>.</param>
/// <param name="Namespace">Its namespace; <see langword="null"/> for what is in none.</param>
/// <param name="Name">Its name.</param>
/// <param name="Uid">Its identity, if known.</param>
internal sealed record ObjectReference(string ApiVersion, string Kind, string? Namespace, string Name, string? Uid)
{
    /// <summary>As the API writes it.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["apiVersion"] = ApiVersion, ["kind"] = Kind, ["name"] = Name };
        if (Namespace is not null)
            json["namespace"] = Namespace;
        if (Uid is not null)
            json["uid"] = Uid;
        return json;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {(Namespace is null ? "" : Namespace + "/")}{Name}";
}

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>One object of a manifest, with what is needed to know its path in the API.</summary>
/// <param name="Source">File and number, for messages: <c>20-service.yaml, document 2</c>.</param>
/// <param name="Text">YAML, or JSON.</param>
/// <param name="Header">What it says about itself.</param>
internal sealed record ManifestDocument(string Source, string Text, ManifestHeader Header);

/// <summary>The identity of an object.</summary>
/// <param name="ApiVersion">Such as <c>v1</c> or <c>apps/v1</c>.</param>
/// <param name="Kind">Such as <c>Service</c>.</param>
/// <param name="Name">metadata.name.</param>
/// <param name="Namespace">metadata.namespace, if given.</param>
internal sealed record ManifestHeader(string ApiVersion, string Kind, string Name, string? Namespace);

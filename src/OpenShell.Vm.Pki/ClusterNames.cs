namespace OpenShell.Vm.Pki;

/// <summary>The names by which the parts of a cluster are called.</summary>
public sealed record ClusterNames
{
    /// <summary>The node's name.</summary>
    public required string NodeName { get; init; }

    /// <summary>The node's address; <see langword="null"/> without a network.</summary>
    public string? NodeAddress { get; init; }

    /// <summary>The address of the Service <c>kubernetes</c>: the first of the range of Services.</summary>
    public string ApiServiceAddress { get; init; } = "10.43.0.1";

    /// <summary>The gateway's name.</summary>
    public required string GatewayName { get; init; }

    /// <summary>Further names and addresses that the user wants in the servers' certificates.</summary>
    public IReadOnlyList<string> Further { get; init; } = [];
}

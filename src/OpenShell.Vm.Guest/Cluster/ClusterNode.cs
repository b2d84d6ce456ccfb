namespace OpenShell.Vm.Guest.Cluster;

/// <summary>The one node of the cluster.</summary>
/// <param name="Name">Its name: the guest's host name.</param>
/// <param name="Address">Its IPv4 address; <see langword="null"/> without a network.</param>
internal sealed record ClusterNode(string Name, string? Address);

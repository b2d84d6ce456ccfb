namespace OpenShell.Vm.Instances;

/// <summary>Where a clone comes from, stored as <c>origin.json</c>: what of its identity is on its disk already, and what is its own.</summary>
public sealed record InstanceOrigin
{
    /// <summary>The instance that it was cloned from; that one may be gone.</summary>
    public required string Source { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset ClonedAt { get; init; }

    /// <summary>
    /// The name of the cluster's node, which is that of the first instance of the line: pods and volumes on the disk are bound to it, and a node of another name
    /// would leave all of them behind.
    /// </summary>
    public required string NodeName { get; init; }

    /// <summary>What the guest tells a disk by that was another machine's until now: then it makes a machine id and a gateway's authority of its own.</summary>
    public required string Identity { get; init; }
}

namespace OpenShell.Vm.Guest.Services;

/// <summary>Something that must hold before a service starts. Data: it says what is waited for, <see cref="ConditionBoard"/> knows whether it holds.</summary>
internal abstract record Condition
{
    private Condition()
    {
    }

    /// <summary>What is waited for, for a person: <c>etcd to be healthy</c>.</summary>
    public abstract string Description { get; }

    /// <summary>Another service does its work.</summary>
    public sealed record Healthy(string Service) : Condition
    {
        /// <inheritdoc/>
        public override string Description => $"{Service} to be healthy";
    }

    /// <summary>Another service can be reached, though it may not do all of its work yet.</summary>
    public sealed record Answering(string Service) : Condition
    {
        /// <inheritdoc/>
        public override string Description => $"{Service} to answer";
    }

    /// <summary>A step of the boot is done.</summary>
    public sealed record Done(Milestone Milestone) : Condition
    {
        /// <inheritdoc/>
        public override string Description => Milestone switch
        {
            Milestone.Firewall => "the firewall",
            Milestone.StateDisk => "the state disk",
            Milestone.Certificates => "the certificates",
            Milestone.Images => "the container images",
            Milestone.Names => "the cluster's names",
            _ => Milestone.ToString(),
        };
    }
}

/// <summary>Steps of the boot for which services wait.</summary>
internal enum Milestone
{
    /// <summary>The packet filter is loaded: pods may start.</summary>
    Firewall,

    /// <summary>What is kept has its place.</summary>
    StateDisk,

    /// <summary>Certificates, keys and kubeconfigs are written.</summary>
    Certificates,

    /// <summary>The image's archives are in containerd.</summary>
    Images,

    /// <summary>What the cluster's name server has to know was written once.</summary>
    Names,
}

using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>The cluster as a resumed machine sees it.</summary>
internal interface IResumedCluster
{
    /// <summary>The machine's address; <see langword="null"/> without a network.</summary>
    string? Address { get; }

    /// <summary>The address of the gateway of its network; <see langword="null"/> without a network.</summary>
    string? Gateway { get; }

    /// <summary>Whether callers from outside come to an API front.</summary>
    bool HasFront { get; }

    /// <summary>Whether the cluster has come up, so that it can become another instance's.</summary>
    bool IsUp { get; }

    /// <summary>Has everything that serves callers from outside use another instance's credentials, at once and without starting anything.</summary>
    /// <param name="identity">Whose the cluster is now.</param>
    /// <param name="gatewayName">The gateway's name from now on.</param>
    /// <param name="credentials">By name: all that <see cref="ClusterCertificates.IsOfInstance"/>, those of the front only where there is one.</param>
    void Become(string identity, string gatewayName, IReadOnlyDictionary<string, KeyPair> credentials);

    /// <summary>Has those who serve callers from outside take fresh randomness, with the credentials that they have.</summary>
    void Stir();

    /// <summary>Brings everything else up to date: what is in the cluster, and what the host may fetch. Takes as long as the API server does.</summary>
    /// <param name="changed">Certificates that are new, by name.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task FollowAsync(IReadOnlyCollection<string> changed, CancellationToken cancellationToken);
}

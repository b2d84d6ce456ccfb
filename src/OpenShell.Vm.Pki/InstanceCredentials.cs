namespace OpenShell.Vm.Pki;

/// <summary>
/// Everything that is one instance's own among instances that have the same cluster in memory: the authority of its gateway and that of its API front, with what they sign. Made on the host for a
/// guest that is resumed, by the profiles that the guest itself goes by, so that it keeps them at later boots.
/// </summary>
public sealed class InstanceCredentials
{
    private InstanceCredentials(IReadOnlyDictionary<string, KeyPair> pairs) => Pairs = pairs;

    /// <summary>All six, by the names that the guest knows them by: what <c>resume</c> carries.</summary>
    public IReadOnlyDictionary<string, KeyPair> Pairs { get; }

    /// <summary>The certificate of the gateway's authority, PEM: what a client of the gateway trusts.</summary>
    public string GatewayAuthority => Pairs[ClusterCertificates.GatewayCa].CertificatePem;

    /// <summary>A client of the gateway.</summary>
    public KeyPair GatewayClient => Pairs[ClusterCertificates.GatewayClient];

    /// <summary>The certificate of the API front's authority, PEM: what a client of the API trusts.</summary>
    public string ApiAuthority => Pairs[ClusterCertificates.FrontCa].CertificatePem;

    /// <summary>The administrator, as the API front knows him.</summary>
    public KeyPair ApiClient => Pairs[ClusterCertificates.FrontClient];

    /// <summary>Makes all of it: some milliseconds on an ordinary processor.</summary>
    /// <param name="names">The names of the machine that is resumed; but for the gateway's they are those of the machine whose memory it has.</param>
    /// <param name="now">The time, from which validity counts (and an hour before, for clocks that differ).</param>
    public static InstanceCredentials Make(ClusterNames names, DateTimeOffset now)
    {
        IReadOnlyList<CertificateProfile> all = [.. ClusterCertificates.For(names), .. ClusterCertificates.ForFront(names)];
        return new InstanceCredentials(CertificateSet.Make([.. all.Where(p => ClusterCertificates.IsOfInstance(p.Name))], now));
    }

    /// <summary>An administrator's kubeconfig with everything in it.</summary>
    /// <param name="context">The name of its cluster, user and context.</param>
    /// <param name="server">URL of the API server, as it is reached from outside of the machine.</param>
    public string Kubeconfig(string context, string server) => Pki.Kubeconfig.Text(context, server, ApiAuthority, ApiClient);
}

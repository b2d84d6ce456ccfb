using System.Security.Cryptography;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>Puts what is one instance's own where it is in force: in memory for those who serve with it and for the host, on the state disk for the next boot.</summary>
internal sealed class InstanceFiles(CredentialPlaces places)
{
    private const int SeedLength = 32;

    /// <summary>Has the gateway, and the API front if there is one, serve with these; each set in one step.</summary>
    /// <param name="certificates">By name.</param>
    public void Serve(IReadOnlyDictionary<string, KeyPair> certificates)
    {
        Serve(places.GatewayTls, certificates[ClusterCertificates.GatewayServer], certificates[ClusterCertificates.GatewayCa], places.GatewayGroup);
        if (certificates.TryGetValue(ClusterCertificates.FrontServer, out var front))
            Serve(places.FrontOwn, front, certificates[ClusterCertificates.FrontCa], group: 0);
    }

    /// <summary>Gives the administrator of the cluster to the API front, if there is one, and to the host: as the front knows him, or as the API server does.</summary>
    /// <param name="certificates">By name.</param>
    /// <param name="authority">The API server's CA, PEM.</param>
    /// <param name="administrator">As the API server knows him.</param>
    public void GiveAccess(IReadOnlyDictionary<string, KeyPair> certificates, string authority, KeyPair administrator)
    {
        var isFronted = certificates.ContainsKey(ClusterCertificates.FrontClient);
        if (isFronted)
        {
            ServingFolder.Replace(places.FrontCluster, new Dictionary<string, string>
            {
                [ServingFolder.Certificate] = administrator.CertificatePem,
                [ServingFolder.Key] = administrator.KeyPem,
                [ServingFolder.Authority] = authority,
            });
        }

        WriteBootstrap(certificates, isFronted ? OutsideKubeconfig(certificates) : Kubeconfig.Text("openshell", ClusterLayout.ApiServer, authority, administrator));
    }

    /// <summary>Gives the host what an instance's own clients need; the administrator only where there is an API front, since only then he is the instance's own.</summary>
    /// <param name="credentials">Of the instance, by name.</param>
    public void Give(IReadOnlyDictionary<string, KeyPair> credentials) =>
        WriteBootstrap(credentials, credentials.ContainsKey(ClusterCertificates.FrontClient) ? OutsideKubeconfig(credentials) : null);

    /// <summary>Makes the machine id known to programs that start from now on.</summary>
    public void SetMachineId(string id) => File.WriteAllText(places.MachineId, id + "\n");

    /// <summary>
    /// Keeps on the state disk whose it is, and what is that machine's own. The mark is the last: what is interrupted before is made anew at the next boot, of a machine that is a clone then, and
    /// never mixed with what was there.
    /// </summary>
    /// <param name="identity">Whose it is.</param>
    /// <param name="machineId">The machine's id.</param>
    /// <param name="credentials">By name.</param>
    public void Keep(string identity, string machineId, IReadOnlyDictionary<string, KeyPair> credentials)
    {
        CloneIdentity.Disown(identity, places.State);
        var store = new CertificateStore(places.Of(StateLayout.Pki), TimeProvider.System);
        store.Put(credentials);
        File.WriteAllText(MachineId.FileIn(places.State), machineId + "\n");
        // What the mark vouches for is on the disk before the mark is.
        store.Flush();
        CloneIdentity.Own(identity, places.State);
        store.Flush();
    }

    /// <summary>Removes from memory what is no longer in force.</summary>
    public void RemoveOld()
    {
        foreach (var folder in (string[])[places.GatewayTls, places.FrontOwn, places.FrontCluster])
            ServingFolder.RemoveOld(folder);
    }

    private static void Serve(string folder, KeyPair server, KeyPair authority, int group) => ServingFolder.Replace(
        folder,
        new Dictionary<string, string>
        {
            [ServingFolder.Certificate] = server.CertificatePem,
            [ServingFolder.Key] = server.KeyPem,
            [ServingFolder.Authority] = authority.CertificatePem,
            [ServingFolder.Seed] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SeedLength)),
        },
        group);

    /// <summary>What the host fetches: see <see cref="GuestPaths.Bootstrap"/>. In memory, and for root only.</summary>
    private void WriteBootstrap(IReadOnlyDictionary<string, KeyPair> certificates, string? kubeconfig)
    {
        var client = certificates[ClusterCertificates.GatewayClient];
        OwnerFile.Write(places.Of(GuestPaths.BootstrapGatewayCa), certificates[ClusterCertificates.GatewayCa].CertificatePem);
        OwnerFile.Write(places.Of(GuestPaths.BootstrapGatewayCertificate), client.CertificatePem);
        OwnerFile.Write(places.Of(GuestPaths.BootstrapGatewayKey), client.KeyPem);
        // The last: it is what the host waits for.
        if (kubeconfig is not null)
            OwnerFile.Write(places.Of(GuestPaths.BootstrapKubeconfig), kubeconfig);
    }

    private static string OutsideKubeconfig(IReadOnlyDictionary<string, KeyPair> certificates) =>
        Kubeconfig.Text("openshell", ClusterLayout.ApiServer, certificates[ClusterCertificates.FrontCa].CertificatePem, certificates[ClusterCertificates.FrontClient]);
}

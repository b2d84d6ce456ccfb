using System.Text;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.Cluster.K3s;

public sealed class K3sKubeconfigTests
{
    private static readonly ClusterNames Names = new() { NodeName = "gw", ApiServiceAddress = "10.43.0.1", GatewayName = "g" };
    private static readonly IReadOnlyDictionary<string, KeyPair> Certificates = CertificateSet.Make(ClusterCertificates.For(Names), DateTimeOffset.UtcNow);

    [Fact]
    public void The_certificates_are_read_out_of_what_k3s_writes()
    {
        var admin = Certificates[ClusterCertificates.Admin];
        var authority = Certificates[ClusterCertificates.ClusterCa].CertificatePem;

        // k3s puts the signer after the client's certificate.
        var read = K3sKubeconfig.Parse(Text(authority, admin.CertificatePem + "\n" + authority, admin.KeyPem)).ShouldNotBeNull();

        read.Authority.ShouldBe(authority);
        using var certificate = read.User.Open();
        using var expected = admin.Open();
        certificate.Thumbprint.ShouldBe(expected.Thumbprint);
        read.ToString().ShouldContain("current-context: openshell");
    }

    [Fact]
    public void Half_a_file_is_none()
    {
        var admin = Certificates[ClusterCertificates.Admin];
        var whole = Text(Certificates[ClusterCertificates.ClusterCa].CertificatePem, admin.CertificatePem, admin.KeyPem);

        K3sKubeconfig.Parse(whole[..whole.IndexOf("client-key-data", StringComparison.Ordinal)]).ShouldBeNull();
        K3sKubeconfig.Parse("").ShouldBeNull();
        K3sKubeconfig.Parse(whole.Replace("client-key-data: ", "client-key-data: *", StringComparison.Ordinal)).ShouldBeNull();
    }

    [Fact]
    public void A_server_is_believed_by_who_signed_it()
    {
        var trust = ServerTrust.SignedBy(Certificates[ClusterCertificates.ClusterCa].CertificatePem);
        using var signed = Certificates[ClusterCertificates.ApiServer].Open();
        using var stranger = Certificates[ClusterCertificates.GatewayServer].Open();

        trust.Accepts(signed).ShouldBeTrue();
        trust.Accepts(stranger).ShouldBeFalse();
    }

    // The order and the names are those of client-go's writer, which k3s uses.
    private static string Text(string authority, string certificate, string key) =>
        $"""
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: {Encode(authority)}
            server: https://127.0.0.1:6443
          name: default
        contexts:
        - context:
            cluster: default
            user: default
          name: default
        current-context: default
        kind: Config
        users:
        - name: default
          user:
            client-certificate-data: {Encode(certificate)}
            client-key-data: {Encode(key)}

        """;

    private static string Encode(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}

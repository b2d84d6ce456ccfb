using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.Cluster;

/// <summary>Certificates that are renewed while the cluster runs.</summary>
public sealed class CertificateRenewalTests : IDisposable
{
    private static readonly IReadOnlyList<CertificateProfile> Profiles = ClusterCertificates.For(new() { NodeName = "gw", ApiServiceAddress = "10.43.0.1", GatewayName = "gateway" });

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Those_that_end_within_the_time_are_new_and_their_authorities_the_same()
    {
        var store = new CertificateStore(_folder.File("pki"), TimeProvider.System);
        var before = store.Ensure(Profiles);

        store.Ensure(Profiles, margin: TimeSpan.FromDays(700)).ShouldBe(before, ignoreOrder: true);
        var after = store.Ensure(Profiles, margin: TimeSpan.FromDays(1000));

        after.Where(c => before[c.Key] == c.Value).Select(c => c.Key).ShouldBe([ClusterCertificates.ClusterCa, ClusterCertificates.FrontProxyCa, ClusterCertificates.GatewayCa], ignoreOrder: true);
        store.Ensure(Profiles).ShouldBe(after, ignoreOrder: true);
    }

    [Fact]
    public void Each_certificate_has_a_service_that_is_started_again_but_those_that_are_read_again()
    {
        var leaves = Profiles.Where(p => p.Issuer is not null).Select(p => p.Name).ToArray();
        leaves.Where(leaf => UpstreamDistribution.ServicesOf([leaf]).Count == 0)
            .ShouldBe([ClusterCertificates.Admin, ClusterCertificates.GatewayServer, ClusterCertificates.GatewayClient], ignoreOrder: true);
        UpstreamDistribution.ServicesOf(leaves).ShouldBe(["kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet"]);
        var services = UpstreamDistribution.Services(new ClusterNode("gw", "192.168.127.2")).ToDictionary(s => s.Name);
        UpstreamDistribution.ServicesOf(leaves).ShouldAllBe(name => services.ContainsKey(name));
    }

    [Fact]
    public void A_server_of_the_same_authority_is_trusted_and_a_client_of_it_is_not()
    {
        var store = new CertificateStore(_folder.File("pki"), TimeProvider.System);
        var before = store.Ensure(Profiles);
        var trust = ServerTrust.Exactly(before[ClusterCertificates.ApiServer].CertificatePem).Or(() => ServerTrust.SignedBy(before[ClusterCertificates.ClusterCa].CertificatePem));
        var after = store.Ensure(Profiles, margin: TimeSpan.FromDays(1000));

        Accepts(before[ClusterCertificates.ApiServer]).ShouldBeTrue();
        Accepts(after[ClusterCertificates.ApiServer]).ShouldBeTrue();
        Accepts(after[ClusterCertificates.Admin]).ShouldBeFalse();
        Accepts(after[ClusterCertificates.GatewayServer]).ShouldBeFalse();

        bool Accepts(KeyPair pair)
        {
            using var certificate = pair.Open();
            return trust.Accepts(certificate);
        }
    }

    [Fact]
    public void K3s_is_started_again_for_the_first_of_its_certificates_that_nears_its_end_and_not_for_an_authority()
    {
        var layout = new K3sLayout(_folder.Path);
        K3sCertificates.FirstEnd(layout).ShouldBeNull();
        var tls = Directory.CreateDirectory(layout.Server + "/tls").FullName;
        var made = CertificateSet.Make(Profiles, DateTimeOffset.UtcNow);
        File.WriteAllText(tls + "/server-ca.crt", CertificateFactory.Make(Profiles[0] with { Validity = TimeSpan.FromDays(10) }, null, DateTimeOffset.UtcNow).CertificatePem);
        File.WriteAllText(tls + "/client-admin.crt", made[ClusterCertificates.Admin].CertificatePem);
        File.WriteAllText(tls + "/half-written.crt", "-----BEGIN CERTIFICATE-----\nMII");
        using var admin = made[ClusterCertificates.Admin].Open();

        K3sCertificates.FirstEnd(layout).ShouldBe(new DateTimeOffset(admin.NotAfter.ToUniversalTime()));
        K3sCertificates.AreNearTheirEnd(layout, DateTimeOffset.UtcNow + TimeSpan.FromDays(600)).ShouldBeFalse();
        K3sCertificates.AreNearTheirEnd(layout, DateTimeOffset.UtcNow + TimeSpan.FromDays(641)).ShouldBeTrue();
    }
}

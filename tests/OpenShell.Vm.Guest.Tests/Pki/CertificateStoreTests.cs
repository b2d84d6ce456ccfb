using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.Pki;

/// <summary>The certificates are checked by OpenSSL, which did not make them.</summary>
public sealed class CertificateStoreTests : IDisposable
{
    private static readonly ClusterNames Names = new()
    {
        NodeName = "gw",
        NodeAddress = "192.168.127.2",
        ApiServiceAddress = "10.43.0.1",
        GatewayName = "openshell-vm-default",
        Further = ["gw.example", "203.0.113.7"],
    };

    private readonly TemporaryFolder _folder = new();
    private readonly Clock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Openssl_verifies_each_against_its_authority_for_its_use_and_for_no_other()
    {
        Make(Names);
        foreach (var profile in ClusterCertificates.For(Names).Where(p => p.Issuer is not null))
        {
            var (wanted, other) = profile.Use.HasFlag(CertificateUse.Server) ? ("sslserver", "sslclient") : ("sslclient", "sslserver");
            Verify(profile, profile.Issuer!, wanted).ShouldBe(0, profile.Name);
            Verify(profile, profile.Issuer!, other).ShouldNotBe(0, profile.Name);
            foreach (var stranger in ClusterCertificates.For(Names).Where(p => p.Issuer is null && p.Name != profile.Issuer))
                Verify(profile, stranger.Name, wanted).ShouldNotBe(0, $"{profile.Name} by {stranger.Name}");
        }
    }

    [Theory]
    [InlineData("apiserver", "kubernetes.default.svc.cluster.local")]
    [InlineData("apiserver", "localhost")]
    [InlineData("apiserver", "gw")]
    [InlineData("apiserver", "gw.example")]
    [InlineData("gateway-server", "localhost")]
    [InlineData("gateway-server", "openshell-vm-default")]
    [InlineData("gateway-server", "openshell-gateway.openshell.svc")]
    [InlineData("kubelet-server", "gw")]
    public void A_server_is_known_by_its_names(string certificate, string name)
    {
        Make(Names);
        var authority = certificate == "gateway-server" ? "gateway-ca" : "ca";
        Command.Run("openssl", "verify", "-CAfile", Crt(authority), "-verify_hostname", name, Crt(certificate)).Code.ShouldBe(0);
        Command.Run("openssl", "verify", "-CAfile", Crt(authority), "-verify_hostname", "elsewhere.example", Crt(certificate)).Code.ShouldNotBe(0);
    }

    [Theory]
    [InlineData("apiserver", "127.0.0.1")]
    [InlineData("apiserver", "192.168.127.2")]
    [InlineData("apiserver", "10.43.0.1")]
    [InlineData("apiserver", "203.0.113.7")]
    [InlineData("kubelet-server", "192.168.127.2")]
    [InlineData("gateway-server", "127.0.0.1")]
    public void A_server_is_known_by_its_addresses(string certificate, string address)
    {
        Make(Names);
        Command.Run("openssl", "verify", "-CAfile", Crt(certificate == "gateway-server" ? "gateway-ca" : "ca"), "-verify_ip", address, Crt(certificate)).Code.ShouldBe(0);
    }

    [Fact]
    public void The_node_is_who_the_node_authorizer_knows()
    {
        Make(Names);
        Command.Run("openssl", "x509", "-in", Crt("kubelet-client"), "-noout", "-subject", "-nameopt", "RFC2253").Output.Trim().ShouldBe("subject=CN=system:node:gw,O=system:nodes");
    }

    [Fact]
    public void An_authority_signs_no_further_authorities_and_says_what_it_is()
    {
        Make(Names);
        var text = Command.Run("openssl", "x509", "-in", Crt("ca"), "-noout", "-text").Output;
        text.ShouldContain("CA:TRUE, pathlen:0");
        text.ShouldContain("Digital Signature, Certificate Sign, CRL Sign");
        text.ShouldContain("Subject Key Identifier");
        Command.Run("openssl", "x509", "-in", Crt("apiserver"), "-noout", "-text").Output.ShouldContain("CA:FALSE");
    }

    [Fact]
    public void Keys_are_for_their_owner_alone()
    {
        Make(Names);
        var files = Directory.GetFiles(_folder.File("pki"));
        files.Length.ShouldBe((ClusterCertificates.For(Names).Count * 2) + 2);
        files.ShouldAllBe(f => File.GetUnixFileMode(f) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        File.GetUnixFileMode(_folder.File("pki")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void Openssl_reads_the_key_that_signs_tokens()
    {
        Make(Names);
        File.WriteAllText(_folder.File("token"), "header.payload");
        Command.Run("openssl", "dgst", "-sha256", "-sign", Path.Combine(_folder.File("pki"), "sa.key"), "-out", _folder.File("signature"), _folder.File("token")).Code.ShouldBe(0);
        Command.Run("openssl", "dgst", "-sha256", "-verify", Path.Combine(_folder.File("pki"), "sa.pub"), "-signature", _folder.File("signature"), _folder.File("token")).Output.ShouldContain("Verified OK");
    }

    [Fact]
    public void What_was_made_in_advance_is_used_on_the_first_boot_and_on_no_other()
    {
        var profiles = ClusterCertificates.For(Names);
        var prepared = CertificateSet.Make(profiles, _clock.Now);
        var store = new CertificateStore(_folder.File("pki"), _clock);
        store.Ensure(profiles, prepared).ShouldBe(prepared);
        store.Ensure(profiles).ShouldBe(prepared);
        store.Ensure(profiles, CertificateSet.Make(profiles, _clock.Now)).ShouldBe(prepared);
        Command.Run("openssl", "verify", "-CAfile", Crt("ca"), Crt("admin")).Code.ShouldBe(0);
    }

    [Fact]
    public void What_is_as_it_should_be_is_kept()
    {
        var before = Make(Names);
        Make(Names).ShouldBe(before);
    }

    [Fact]
    public void A_new_name_makes_the_servers_certificates_anew_and_no_others()
    {
        var before = Make(Names);
        var after = Make(Names with { Further = ["other.example"] });
        after.Where(p => p.Value != before[p.Key]).Select(p => p.Key).ShouldBe(["apiserver", "gateway-server"], ignoreOrder: true);
    }

    [Fact]
    public void One_that_is_lost_or_damaged_is_made_anew_by_the_same_authority()
    {
        var before = Make(Names);
        File.Delete(Crt("admin"));
        File.WriteAllText(Crt("kube-proxy"), "nonsense");
        // A key of another certificate.
        File.Copy(Path.Combine(_folder.File("pki"), "scheduler.key"), Path.Combine(_folder.File("pki"), "controller-manager.key"), overwrite: true);
        var after = Make(Names);
        after.Where(p => p.Value != before[p.Key]).Select(p => p.Key).ShouldBe(["admin", "kube-proxy", "controller-manager"], ignoreOrder: true);
        Command.Run("openssl", "verify", "-CAfile", Crt("ca"), Crt("admin")).Code.ShouldBe(0);
    }

    [Fact]
    public void What_expires_soon_is_made_anew_while_its_authority_stays()
    {
        var before = Make(Names);
        _clock.Now += TimeSpan.FromDays((2 * 365) - 170);
        var after = Make(Names);
        after.Where(p => p.Value == before[p.Key]).Select(p => p.Key).ShouldBe(["ca", "front-proxy-ca", "gateway-ca"], ignoreOrder: true);
    }

    [Fact]
    public void An_authority_that_expires_takes_all_that_it_signed_with_it()
    {
        var before = Make(Names);
        _clock.Now += TimeSpan.FromDays((10 * 365) - 100);
        Make(Names).ShouldAllBe(p => p.Value != before[p.Key]);
    }

    [Fact]
    public void Nothing_outlives_its_authority()
    {
        Make(Names);
        _clock.Now += TimeSpan.FromDays((10 * 365) - 200);
        Make(Names);
        using var authority = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(File.ReadAllText(Crt("ca")));
        using var admin = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(File.ReadAllText(Crt("admin")));
        admin.NotAfter.ShouldBe(authority.NotAfter);
    }

    [Fact]
    public void A_real_kubectl_reads_the_kubeconfig()
    {
        var pairs = Make(Names);
        OwnerFile.Write(_folder.File("kubeconfig"), Kubeconfig.Text("openshell", "https://127.0.0.1:6443", pairs["ca"].CertificatePem, pairs["admin"]));
        var (code, output) = Command.Run("kubectl", "--kubeconfig", _folder.File("kubeconfig"), "config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.server} {.users[0].user.client-key-data}");
        code.ShouldBe(0, output);
        output.ShouldBe("https://127.0.0.1:6443 " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(pairs["admin"].KeyPem)));
    }

    [Fact]
    public void A_clock_before_the_authorities_is_said_and_they_are_not_replaced()
    {
        var before = Make(Names);
        _clock.Now -= TimeSpan.FromDays(365);
        var fault = Should.Throw<GuestFaultException>(() => Make(Names)).Fault;
        fault.Code.ShouldBe("guest.clock-behind");
        fault.Remedy.ShouldContain("clock");
        _clock.Now += TimeSpan.FromDays(365);
        Make(Names).ShouldBe(before);
    }

    [Fact]
    public void A_certificate_of_the_future_is_made_anew_by_its_authority()
    {
        var before = Make(Names);
        _clock.Now += TimeSpan.FromDays((2 * 365) - 170);
        var renewed = Make(Names);
        _clock.Now -= TimeSpan.FromDays(300);
        var after = Make(Names);
        after["ca"].ShouldBe(before["ca"]);
        after["apiserver"].ShouldNotBe(renewed["apiserver"]);
    }

    private IReadOnlyDictionary<string, KeyPair> Make(ClusterNames names)
    {
        var store = new CertificateStore(_folder.File("pki"), _clock);
        store.EnsureSigningKey();
        return store.Ensure(ClusterCertificates.For(names));
    }

    private int Verify(CertificateProfile profile, string authority, string purpose) =>
        Command.Run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", Crt(authority), Crt(profile.Name)).Code;

    private string Crt(string name) => Path.Combine(_folder.File("pki"), name + ".crt");

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

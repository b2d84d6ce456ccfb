using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.Pki;

/// <summary>What the host makes for a resumed guest, beside what the guest itself made; checked by OpenSSL, which made neither.</summary>
public sealed class InstanceCredentialsTests : IDisposable
{
    private static readonly ClusterNames Golden = new() { NodeName = "golden", NodeAddress = "192.168.127.2", GatewayName = "openshell-vm-golden" };

    private static readonly ClusterNames Resumed = Golden with { GatewayName = "openshell-vm-a" };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_guest_keeps_at_its_next_boot_all_that_the_host_made_for_it()
    {
        Store().Ensure(Profiles(Golden));
        var credentials = InstanceCredentials.Make(Resumed, DateTimeOffset.UtcNow);
        Store().Put(credentials.Pairs);

        var next = Store();
        var kept = next.Ensure(Profiles(Resumed));

        next.Made.ShouldBe(0);
        foreach (var (name, pair) in credentials.Pairs)
            kept[name].ShouldBe(pair);
    }

    [Fact]
    public void A_machine_of_another_name_would_not_keep_them()
    {
        Store().Ensure(Profiles(Golden));
        Store().Put(InstanceCredentials.Make(Resumed, DateTimeOffset.UtcNow).Pairs);

        var next = Store();
        next.Ensure(Profiles(Golden));

        next.Made.ShouldBe(2); // gateway-server and gateway-client carry the gateway's name
    }

    [Fact]
    public void Openssl_lets_each_pass_for_its_own_authority_and_use_only()
    {
        Store().Put(InstanceCredentials.Make(Resumed, DateTimeOffset.UtcNow).Pairs);

        Verify("gateway-ca", "gateway-server", "sslserver").ShouldBe(0);
        Verify("gateway-ca", "gateway-client", "sslclient").ShouldBe(0);
        Verify("front-ca", "front-server", "sslserver").ShouldBe(0);
        Verify("front-ca", "front-client", "sslclient").ShouldBe(0);
        Verify("front-ca", "front-client", "sslserver").ShouldNotBe(0);
        Verify("gateway-ca", "front-client", "sslclient").ShouldNotBe(0);
        Verify("front-ca", "gateway-client", "sslclient").ShouldNotBe(0);
        Command.Run("openssl", "verify", "-CAfile", Crt("front-ca"), "-verify_ip", "127.0.0.1", Crt("front-server")).Code.ShouldBe(0);
    }

    [Fact]
    public void Two_instances_share_nothing()
    {
        var (a, b) = (InstanceCredentials.Make(Resumed, DateTimeOffset.UtcNow), InstanceCredentials.Make(Resumed, DateTimeOffset.UtcNow));

        a.Pairs.Keys.Order(StringComparer.Ordinal).ShouldBe(["front-ca", "front-client", "front-server", "gateway-ca", "gateway-client", "gateway-server"]);
        foreach (var (name, pair) in a.Pairs)
        {
            b.Pairs[name].KeyPem.ShouldNotBe(pair.KeyPem);
            b.Pairs[name].CertificatePem.ShouldNotBe(pair.CertificatePem);
        }
    }

    [Fact]
    public void Its_kubeconfig_is_that_of_the_front()
    {
        var credentials = InstanceCredentials.Make(Resumed, DateTimeOffset.UtcNow);

        credentials.Kubeconfig("openshell", "https://127.0.0.1:7000").ShouldBe(Kubeconfig.Text("openshell", "https://127.0.0.1:7000", credentials.Pairs["front-ca"].CertificatePem, credentials.Pairs["front-client"]));
    }

    private static IReadOnlyList<CertificateProfile> Profiles(ClusterNames names) => [.. ClusterCertificates.For(names), .. ClusterCertificates.ForFront(names)];

    private CertificateStore Store() => new(_folder.File("pki"), TimeProvider.System);

    private int Verify(string authority, string name, string purpose) =>
        Command.Run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", Crt(authority), Crt(name)).Code;

    private string Crt(string name) => Path.Combine(_folder.File("pki"), name + ".crt");
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Tests.Bootstrap;

public sealed class KubeconfigTests
{
    private static readonly (string Certificate, string Key) Authority = Issue("CN=ca");
    private static readonly (string Certificate, string Key) User = Issue("CN=admin");

    [Fact]
    public void It_has_the_guests_certificates_the_instances_name_and_the_forwarded_port()
    {
        var text = Kubeconfig.FromGuest(Guest(), "test", 16443);

        var root = Parse(text);
        root["clusters"][0]["name"].ToString().ShouldBe("openshell-test");
        root["clusters"][0]["cluster"]["server"].ToString().ShouldBe("https://127.0.0.1:16443");
        Pem(root["clusters"][0]["cluster"]["certificate-authority-data"]).ShouldBe(Authority.Certificate + "\n");
        root["users"][0]["name"].ToString().ShouldBe("openshell-test");
        using var client = X509Certificate2.CreateFromPem(Pem(root["users"][0]["user"]["client-certificate-data"]), Pem(root["users"][0]["user"]["client-key-data"]));
        client.ExportCertificatePem().ShouldBe(User.Certificate);
        client.HasPrivateKey.ShouldBeTrue();
        root["contexts"][0]["context"]["cluster"].ToString().ShouldBe("openshell-test");
        root["contexts"][0]["context"]["user"].ToString().ShouldBe("openshell-test");
        root["current-context"].ToString().ShouldBe("openshell-test");
        text.ShouldEndWith("\n");
    }

    [Fact]
    public void Nothing_else_that_a_hostile_guest_writes_gets_into_it()
    {
        var hostile = Guest()
            .Replace("server:", "proxy-url: http://evil.example, insecure-skip-tls-verify: true, server:", StringComparison.Ordinal)
            .Replace("client-key-data:", "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/evil}, client-key-data:", StringComparison.Ordinal)
            + "extensions: [{name: evil}]\n";

        Kubeconfig.FromGuest(hostile, "test", 16443).ShouldBe(Kubeconfig.FromGuest(Guest(), "test", 16443));
    }

    [Fact]
    public void What_precedes_or_follows_a_certificate_is_dropped()
    {
        var commented = Guest(authority: "# evil\n" + Authority.Certificate + "\nevil: true\n");

        Kubeconfig.FromGuest(commented, "test", 16443).ShouldBe(Kubeconfig.FromGuest(Guest(), "test", 16443));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a: [")]
    [InlineData("just text")]
    [InlineData("clusters: []\nusers: []\ncontexts: []")]
    [InlineData("clusters: {}\n")]
    [InlineData("&a [*a]: 1")]
    [InlineData("a: &a {b: *a}")]
    [InlineData("a: &a b")]
    [InlineData("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]")]
    public void What_is_no_kubeconfig_is_a_fault(string yaml) => Code(yaml).ShouldBe("bootstrap.kubeconfig-invalid");

    [Fact]
    public void It_may_be_neither_endless_nor_bottomless_and_drives_no_terminal()
    {
        Code("a: " + new string('x', 1 << 20)).ShouldBe("bootstrap.kubeconfig-invalid");
        Code(new string('[', 50_000)).ShouldBe("bootstrap.kubeconfig-invalid");
        var fault = Should.Throw<FaultException>(() => Kubeconfig.FromGuest("\"a\\e[2Jb\": 1\n\"a\\e[2Jb\": 2\n", "test", 1)).Faults[0];
        fault.What.ShouldAllBe(c => !char.IsControl(c));
        fault.What.ShouldContain("[2Jb");
    }

    [Fact]
    public void Certificates_that_are_none_or_do_not_fit_are_a_fault()
    {
        Code(Guest(authority: "none")).ShouldBe("bootstrap.kubeconfig-invalid");
        Code(Guest(certificate: "none")).ShouldBe("bootstrap.kubeconfig-invalid");
        Code(Guest(key: Authority.Key)).ShouldBe("bootstrap.kubeconfig-invalid");
        Code(Guest().Replace("client-key-data: ", "client-key-data: !", StringComparison.Ordinal)).ShouldBe("bootstrap.kubeconfig-invalid");
    }

    [Fact]
    public void It_is_for_its_owner_only()
    {
        using var folder = new TestFolder();
        var path = Kubeconfig.PathFor(folder.Directories, "default");
        Path.GetFileName(path).ShouldBe("gateway.yaml");
        Kubeconfig.PathFor(folder.Directories, "test").ShouldEndWith("gateway-test.yaml");
        Kubeconfig.Write(path, Kubeconfig.FromGuest(Guest(), "default", 6443));
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Kubeconfig.Remove(path, "default");
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public void One_of_somebody_else_is_left_alone()
    {
        using var folder = new TestFolder();
        var path = Kubeconfig.PathFor(folder.Directories, "default");
        Kubeconfig.Write(path, "current-context: production\n");
        Kubeconfig.Remove(path, "default");
        File.Exists(path).ShouldBeTrue();
    }

    private static string Guest(string? authority = null, string? certificate = null, string? key = null) => $$"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: k
          cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: {{Base64(authority ?? Authority.Certificate)}}}
        users:
        - name: admin
          user: {client-certificate-data: {{Base64(certificate ?? User.Certificate)}}, client-key-data: {{Base64(key ?? User.Key)}}}
        contexts:
        - name: x
          context: {cluster: k, user: admin}
        current-context: x

        """;

    private static string Code(string yaml) => Should.Throw<FaultException>(() => Kubeconfig.FromGuest(yaml, "test", 1)).Faults[0].Code;

    private static YamlNode Parse(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return yaml.Documents[0].RootNode;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private static string Pem(YamlNode node) => Encoding.ASCII.GetString(Convert.FromBase64String(node.ToString()));

    private static (string Certificate, string Key) Issue(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}

using System.Text;
using System.Text.Json;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Tests.Bootstrap;

public sealed class BootstrapTests
{
    private const string GuestKubeconfig = """
        apiVersion: v1
        kind: Config
        clusters:
        - name: k
          cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: Q0E=}
        users:
        - name: admin
          user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
        contexts:
        - name: x
          context: {cluster: k, user: admin, namespace: default}
        current-context: x
        """;

    private static readonly GatewayCertificates Certificates = new("CA"u8.ToArray(), "CERT"u8.ToArray(), "KEY"u8.ToArray());

    [Fact]
    public void A_kubeconfig_gets_the_instances_name_and_the_forwarded_port()
    {
        var text = Kubeconfig.Rewrite(GuestKubeconfig, "test", 16443);
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        var root = yaml.Documents[0].RootNode;
        root["clusters"][0]["name"].ToString().ShouldBe("openshell-test");
        root["clusters"][0]["cluster"]["server"].ToString().ShouldBe("https://127.0.0.1:16443");
        root["clusters"][0]["cluster"]["certificate-authority-data"].ToString().ShouldBe("Q0E=");
        root["users"][0]["name"].ToString().ShouldBe("openshell-test");
        root["users"][0]["user"]["client-key-data"].ToString().ShouldBe("S0VZ");
        root["contexts"][0]["context"]["cluster"].ToString().ShouldBe("openshell-test");
        root["contexts"][0]["context"]["user"].ToString().ShouldBe("openshell-test");
        root["contexts"][0]["context"]["namespace"].ToString().ShouldBe("default");
        root["current-context"].ToString().ShouldBe("openshell-test");
        text.ShouldEndWith("\n");
        text.ShouldNotContain("...");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a: [")]
    [InlineData("just text")]
    [InlineData("clusters: []\nusers: []\ncontexts: []")]
    [InlineData("clusters: {}\n")]
    public void What_is_no_kubeconfig_is_a_fault(string yaml) =>
        Should.Throw<FaultException>(() => Kubeconfig.Rewrite(yaml, "test", 1)).Faults[0].Code.ShouldBe("bootstrap.kubeconfig-invalid");

    [Fact]
    public void The_kubeconfig_is_for_its_owner_only()
    {
        using var folder = new TestFolder();
        var path = Kubeconfig.PathFor(folder.Directories, "default");
        Path.GetFileName(path).ShouldBe("gateway.yaml");
        Kubeconfig.PathFor(folder.Directories, "test").ShouldEndWith("gateway-test.yaml");
        Kubeconfig.Write(path, Kubeconfig.Rewrite(GuestKubeconfig, "default", 6443));
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Kubeconfig.Remove(path, "default");
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public void A_kubeconfig_of_somebody_else_is_left_alone()
    {
        using var folder = new TestFolder();
        var path = Kubeconfig.PathFor(folder.Directories, "default");
        Kubeconfig.Write(path, "current-context: production\n");
        Kubeconfig.Remove(path, "default");
        File.Exists(path).ShouldBeTrue();
    }

    [Fact]
    public void A_gateway_is_registered_as_OpenShells_clients_expect()
    {
        using var folder = new TestFolder();
        var registration = new GatewayRegistration(folder.Directories, "default");
        registration.Write(30051, Certificates);
        registration.Activate();

        var root = folder.Directories.OpenShellConfig;
        using var metadata = JsonDocument.Parse(File.ReadAllText($"{root}/gateways/openshell-vm-default/metadata.json"));
        metadata.RootElement.GetProperty("name").GetString().ShouldBe("openshell-vm-default");
        metadata.RootElement.GetProperty("gateway_endpoint").GetString().ShouldBe("https://127.0.0.1:30051");
        metadata.RootElement.GetProperty("is_remote").GetBoolean().ShouldBeFalse();
        metadata.RootElement.GetProperty("gateway_port").GetInt32().ShouldBe(30051);
        File.ReadAllText($"{root}/active_gateway").ShouldBe("openshell-vm-default");
        File.ReadAllText(registration.MtlsFolder + "/ca.crt").ShouldBe("CA");
        File.ReadAllText(registration.MtlsFolder + "/tls.crt").ShouldBe("CERT");
        File.GetUnixFileMode(registration.MtlsFolder + "/tls.key").ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        registration.Remove();
        Directory.EnumerateFileSystemEntries(root + "/gateways").ShouldBeEmpty();
        File.Exists($"{root}/active_gateway").ShouldBeFalse();
    }

    [Fact]
    public void Another_gateway_stays_active_and_a_remote_one_of_the_same_name_stays()
    {
        using var folder = new TestFolder();
        var registration = new GatewayRegistration(folder.Directories, "default");
        registration.Write(30051, Certificates);
        var active = folder.Directories.OpenShellConfig + "/active_gateway";
        File.WriteAllText(active, "production");
        var metadata = Path.GetDirectoryName(registration.MtlsFolder) + "/metadata.json";
        File.WriteAllText(metadata, File.ReadAllText(metadata).Replace("https://127.0.0.1", "https://10.0.0.1", StringComparison.Ordinal));

        registration.Remove();
        File.Exists(metadata).ShouldBeTrue();
        File.ReadAllText(active, Encoding.UTF8).ShouldBe("production");
    }
}

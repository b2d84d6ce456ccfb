using System.Text;
using System.Text.Json;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Bootstrap;

public sealed class BootstrapTests
{
    private static readonly GatewayCertificates Certificates = new("CA"u8.ToArray(), "CERT"u8.ToArray(), "KEY"u8.ToArray());

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

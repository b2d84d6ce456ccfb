using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Tests.Deliveries;

public sealed class RegistryHostsTests
{
    [Fact]
    public void A_mirrors_file_names_it_and_how_it_is_trusted() =>
        RegistryHosts.Hosts(new DeliveredMirror { Upstream = "docker.io", Url = "https://m:5000", SkipVerify = true }, "/run/ca.crt").ShouldBe("""
            [host."https://m:5000"]
              capabilities = ["pull", "resolve"]
              ca = "/run/ca.crt"
              skip_verify = true

            """);

    [Fact]
    public void Credentials_stand_in_containerds_own_configuration_and_cannot_break_out_of_their_quotes() =>
        RegistryHosts.Configuration(new DeliveryIndex { Mirrors = [new DeliveredMirror { Upstream = "a", Url = "https://m:5000", User = "me", Password = "a\"b\\c\nd" }] }).ShouldBe("""
            [plugins."io.containerd.grpc.v1.cri".registry]
              config_path = "/etc/containerd/certs.d"
            [plugins."io.containerd.grpc.v1.cri".registry.configs."m:5000".auth]
              username = "me"
              password = "a\"b\\c\u000Ad"

            """);

    [Fact]
    public void Without_mirrors_containerd_is_configured_as_ever() => RegistryHosts.Configuration(new DeliveryIndex()).ShouldBe("");
}

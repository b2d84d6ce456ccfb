namespace OpenShell.Gateway.Tests;

public sealed class GatewaySettingsTests
{
    [Fact]
    public void Nothing_needs_to_be_set()
    {
        var settings = From([], out var errors);

        errors.ShouldBeEmpty();
        settings.ShouldBe(new GatewaySettings());
    }

    [Fact]
    public void Every_variable_counts()
    {
        var settings = From(
            [
                ("OPENSHELL_LISTEN_ADDRESS", "127.0.0.1"), ("OPENSHELL_GRPC_PORT", "1"), ("OPENSHELL_PROBE_PORT", "2"), ("OPENSHELL_TLS_CERT", "/c"),
                ("OPENSHELL_TLS_KEY", "/k"), ("OPENSHELL_TLS_CLIENT_CA", "/a"), ("OPENSHELL_NODE_NAME", "n"),
                ("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "6443"),
            ],
            out var errors);

        errors.ShouldBeEmpty();
        settings.ShouldBe(new GatewaySettings
        {
            Address = System.Net.IPAddress.Loopback,
            Port = 1,
            ProbePort = 2,
            Certificate = "/c",
            Key = "/k",
            ClientCa = "/a",
            Node = "n",
            ApiServer = new Uri("https://[fd00::1]:6443"),
        });
    }

    [Fact]
    public void All_errors_are_told_at_once_each_with_its_variable()
    {
        From([("OPENSHELL_LISTEN_ADDRESS", "here"), ("OPENSHELL_GRPC_PORT", "65536"), ("OPENSHELL_PROBE_PORT", "0")], out var errors);

        errors.Count.ShouldBe(3);
        errors[0].ShouldContain("OPENSHELL_LISTEN_ADDRESS is 'here'");
        errors[1].ShouldContain("OPENSHELL_GRPC_PORT is '65536'");
        errors[2].ShouldContain("OPENSHELL_PROBE_PORT is '0'");
    }

    [Fact]
    public void One_port_cannot_serve_both()
    {
        From([("OPENSHELL_GRPC_PORT", "8081")], out var errors);

        errors.ShouldHaveSingleItem().ShouldContain("8081");
    }

    private static GatewaySettings From((string Name, string Value)[] variables, out IReadOnlyList<string> errors) =>
        GatewaySettings.From(name => variables.SingleOrDefault(variable => variable.Name == name).Value, out errors);
}

using YamlDotNet.RepresentationModel;

namespace OpenShell.Gateway.Tests.Manifests;

/// <summary>What the manifests and the program have to agree on.</summary>
public sealed class ManifestTests
{
    private static readonly YamlMappingNode[] Objects = Directory
        .GetFiles(Path.Combine(AppContext.BaseDirectory, "manifests"), "*.yaml")
        .Order(StringComparer.Ordinal)
        .SelectMany(Load)
        .ToArray();

    private static YamlMappingNode Pod => (YamlMappingNode)Find("StatefulSet")["spec"]["template"]["spec"];

    private static YamlNode Container => Pod["containers"][0];

    [Fact]
    public void They_come_in_an_order_in_which_they_can_be_applied() =>
        Objects.Select(o => Text(o["kind"])).ShouldBe(["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Service", "StatefulSet"]);

    [Fact]
    public void Ports_are_the_programs_own()
    {
        var settings = new GatewaySettings();
        var ports = ((YamlSequenceNode)Container["ports"]).ToDictionary(port => Text(port["name"]), port => Text(port["containerPort"]));

        ports.ShouldBe(new Dictionary<string, string> { ["grpc"] = $"{settings.Port}", ["probe"] = $"{settings.ProbePort}" });
        Text(Find("Service")["spec"]["ports"][0]["targetPort"]).ShouldBe("grpc");
        Text(Find("Service")["spec"]["ports"][0]["nodePort"]).ShouldBe("30051");
        ((YamlSequenceNode)Find("Service")["spec"]["ports"]).Children.Count.ShouldBe(1);
    }

    [Fact]
    public void The_nodes_TLS_files_are_mounted_where_the_program_looks_and_are_readable_for_its_group_alone()
    {
        var settings = new GatewaySettings();
        var volume = ((YamlSequenceNode)Pod["volumes"]).Single(volume => ((YamlMappingNode)volume).Children.ContainsKey("hostPath"));
        var mount = ((YamlSequenceNode)Container["volumeMounts"]).Single(mount => Text(mount["name"]) == Text(volume["name"]));

        Text(volume["hostPath"]["path"]).ShouldBe("/run/openshell/gateway-tls");
        Text(mount["readOnly"]).ShouldBe("true");
        foreach (var file in (string[])[settings.Certificate, settings.Key, settings.ClientCa])
            Path.GetDirectoryName(file).ShouldBe(Text(mount["mountPath"]));
        Text(Pod["securityContext"]["runAsGroup"]).ShouldBe("65532");
    }

    [Fact]
    public void Proxies_and_authorities_of_the_users_network_may_be_missing()
    {
        var environment = ((YamlSequenceNode)Container["envFrom"]).Single()["configMapRef"];
        var authorities = ((YamlSequenceNode)Pod["volumes"]).Single(volume => Text(volume["name"]) == "ca")["configMap"];

        (Text(environment["name"]), Text(environment["optional"])).ShouldBe(("openshell-proxy", "true"));
        (Text(authorities["name"]), Text(authorities["optional"])).ShouldBe(("openshell-ca", "true"));
    }

    [Fact]
    public void Selectors_find_the_pod()
    {
        var labels = Find("StatefulSet")["spec"]["template"]["metadata"]["labels"];

        Find("StatefulSet")["spec"]["selector"]["matchLabels"].ShouldBe(labels);
        Find("Service")["spec"]["selector"].ShouldBe(labels);
    }

    [Fact]
    public void The_pod_may_do_as_little_as_possible()
    {
        Text(Pod["securityContext"]["runAsNonRoot"]).ShouldBe("true");
        Text(Pod["securityContext"]["seccompProfile"]["type"]).ShouldBe("RuntimeDefault");
        Text(Container["securityContext"]["readOnlyRootFilesystem"]).ShouldBe("true");
        Text(Container["securityContext"]["allowPrivilegeEscalation"]).ShouldBe("false");
        Text(Container["securityContext"]["capabilities"]["drop"][0]).ShouldBe("ALL");
        Find("ClusterRole")["rules"].ToString().ShouldBe("[ { { nonResourceURLs, [ /version ] }, { verbs, [ get ] } } ]");
    }

    [Fact]
    public void No_variable_of_ours_can_be_mistaken_for_one_that_Kubernetes_makes_of_the_service()
    {
        var prefix = Text(Find("Service")["metadata"]["name"]).ToUpperInvariant().Replace('-', '_') + "_";

        foreach (var variable in (YamlSequenceNode)Container["env"])
            Text(variable["name"]).ShouldNotStartWith(prefix);
        Text(Pod["enableServiceLinks"]).ShouldBe("false");
    }

    private static YamlMappingNode Find(string kind) => Objects.Single(o => Text(o["kind"]) == kind);

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    private static IEnumerable<YamlMappingNode> Load(string file)
    {
        using var reader = new StreamReader(file);
        var stream = new YamlStream();
        stream.Load(reader);
        return stream.Documents.Select(document => (YamlMappingNode)document.RootNode);
    }
}

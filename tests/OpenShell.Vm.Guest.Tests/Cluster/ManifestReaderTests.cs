using OpenShell.Vm.Guest.Cluster.Workload;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Guest.Tests.Cluster;

public sealed class ManifestReaderTests
{
    [Fact]
    public void A_file_is_taken_apart_into_its_objects()
    {
        var documents = ManifestReader.Read("app.yaml", """
            # What runs.
            apiVersion: v1
            kind: Namespace
            metadata:
              name: openshell
            --- # the next
            apiVersion: "apps/v1"
            kind: 'StatefulSet' # quoted
            metadata:
              labels:
                name: not-this-one
              namespace: openshell
              name: gateway
            spec:
              template:
                metadata:
                  name: nor-this
            ---
            # only a comment
            ---
            """);
        documents.Select(d => d.Header).ShouldBe([new("v1", "Namespace", "openshell", null), new("apps/v1", "StatefulSet", "gateway", "openshell")]);
        documents.Select(d => d.Source).ShouldBe(["app.yaml, document 1", "app.yaml, document 2"]);
        documents[0].Text.ShouldContain("kind: Namespace");
    }

    [Theory]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata: {name: app}")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  name: &anchor app")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  name: >-\n    app")]
    [InlineData("%YAML 1.1\n---\napiVersion: v1\nkind: Pod\nmetadata:\n    \"name\": !!str app\n...\n")]
    public void Any_style_is_understood_and_stays_as_it_is(string text)
    {
        var document = ManifestReader.Read("x.yaml", text).ShouldHaveSingleItem();
        document.Header.ShouldBe(new("v1", "Pod", "app", null));
        document.Text.ShouldBe(text);
    }

    [Fact]
    public void JSON_is_written_so_that_a_reader_of_YAML_takes_it()
    {
        var document = ManifestReader.Read("x.json", "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\", \"metadata\": {\"name\": \"app\"}, \"x\": [\"a\\/b\\u00e9\", 1, true, null]}").ShouldHaveSingleItem();

        document.Header.ShouldBe(new("v1", "Pod", "app", null));
        document.Text.ShouldNotContain("\\/");
        document.Text.ShouldNotContain("\t");
        ((YamlSequenceNode)Root(document.Text)["x"]).Children.Cast<YamlScalarNode>().Select(s => (s.Value, s.Style == ScalarStyle.Plain)).ShouldBe([("a/b\u00e9", false), ("1", true), ("true", true), ("null", true)]);
    }

    [Theory]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: app-", "x.yaml, line 1: an object without metadata.name")]
    [InlineData("kind: Pod\nmetadata:\n  name: app", "x.yaml, line 1: an object without apiVersion")]
    [InlineData("# one\n---\napiVersion: v1\n---\nx: y", "x.yaml, line 3: an object without kind")]
    [InlineData("- apiVersion: v1\n", "x.yaml, line 1: an object was expected, and not a list or a text")]
    [InlineData("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  metadata: {name: x}", "x.yaml, line 4: an object without kind")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata: {name: app\n", "x.yaml, line 4: ")]
    [InlineData("apiVersion: v1\nkind: *nobody\n", "x.yaml, line 1: ")]
    public void What_is_no_object_is_told_by_its_line(string text, string problem) =>
        Should.Throw<ManifestException>(() => ManifestReader.Read("x.yaml", text)).Message.ShouldStartWith(problem);

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    public void What_is_nested_without_end_does_not_end_the_program(string opening) =>
        Should.Throw<ManifestException>(() => ManifestReader.Read("x.yaml", string.Concat(Enumerable.Repeat(opening, 100_000)))).Message.ShouldContain("nested deeper");

    [Fact]
    public void A_list_is_taken_apart_and_its_scalars_keep_their_meaning()
    {
        var documents = ManifestReader.Read("all.yaml", """
            apiVersion: v1
            kind: List
            metadata: {resourceVersion: ""}
            items:
            - apiVersion: v1
              kind: ConfigMap
              metadata: {name: one, namespace: shop, labels: &labels {app: shop}}
              data:
                quoted: "yes"
                single: '007'
                text: |
                  first: line

                  last	tab
                folded: >-
                  a very long line that nobody must break again although it is much longer than any line of text that a printer of YAML would leave whole by itself
            - apiVersion: v1
              kind: Namespace
              metadata: {name: shop, labels: *labels}
            - apiVersion: apps/v1
              kind: Deployment
              metadata: {name: web}
              spec: {replicas: 3, paused: yes}
            """);
        documents.Select(d => d.Header).ShouldBe([new("v1", "ConfigMap", "one", "shop"), new("v1", "Namespace", "shop", null), new("apps/v1", "Deployment", "web", null)]);
        documents.Select(d => d.Source).ShouldBe(["all.yaml, document 1, item 1", "all.yaml, document 1, item 2", "all.yaml, document 1, item 3"]);

        var data = (YamlMappingNode)Root(documents[0].Text)["data"];
        data.Children.Select(c => (YamlScalarNode)c.Value).Select(v => (v.Value, v.Style)).ShouldBe([
            ("yes", ScalarStyle.DoubleQuoted), ("007", ScalarStyle.DoubleQuoted), ("first: line\n\nlast\ttab\n", ScalarStyle.DoubleQuoted),
            ("a very long line that nobody must break again although it is much longer than any line of text that a printer of YAML would leave whole by itself", ScalarStyle.DoubleQuoted)]);
        ((YamlScalarNode)Root(documents[1].Text)["metadata"]["labels"]["app"]).Value.ShouldBe("shop");
        ((YamlScalarNode)Root(documents[2].Text)["spec"]["paused"]).Style.ShouldBe(ScalarStyle.Plain);
        ((YamlScalarNode)Root(documents[2].Text)["spec"]["replicas"]).Style.ShouldBe(ScalarStyle.Plain);
    }

    [Theory]
    [InlineData("v1", "Service", "{spec: {ports: [{port: 80}, {port: 53, protocol: UDP}]}}", "TCP UDP")]
    [InlineData("v1", "Pod", "{spec: {initContainers: [{name: a, ports: [{containerPort: 1}]}], containers: [{name: a, ports: [{containerPort: 1, protocol: SCTP}]}, {name: b}]}}", "TCP SCTP")]
    [InlineData("apps/v1", "Deployment", "{spec: {template: {spec: {containers: [{name: a, ports: [{containerPort: 1}]}]}}}}", "TCP")]
    [InlineData("batch/v1beta1", "CronJob", "{spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, ports: [{containerPort: 1}]}]}}}}}}", "TCP")]
    [InlineData("example.org/v1", "Service", "{spec: {ports: [{port: 80}]}}", "")]
    public void A_port_without_protocol_gets_the_default(string version, string kind, string rest, string protocols)
    {
        var text = $"{rest.TrimEnd('}')}{new string('}', rest.Length - rest.TrimEnd('}').Length - 1)}, apiVersion: {version}, kind: {kind}, metadata: {{name: x}}}}";
        var written = Root(ManifestReader.Read("x.yaml", text).ShouldHaveSingleItem().Text);
        string.Join(' ', written.AllNodes.OfType<YamlMappingNode>().Where(m => m.Children.ContainsKey(new YamlScalarNode("protocol"))).Select(m => m["protocol"])).ShouldBe(protocols);
    }

    [Fact]
    public void A_separator_inside_of_a_text_is_none()
    {
        var documents = ManifestReader.Read("x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  text: |\n    ---\n    more\n---x: y\n");
        documents.Count.ShouldBe(1);
    }

    [Fact]
    public void The_manifests_of_the_product_are_all_understood()
    {
        var files = ManifestFolder.Files(Path.Combine(Repository(), "images", "manifests"));
        files.ShouldNotBeEmpty();
        foreach (var file in files)
            ManifestReader.Read(file, File.ReadAllText(file)).ShouldNotBeEmpty();
    }

    private static YamlNode Root(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents.ShouldHaveSingleItem().RootNode;
    }

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenShell.Vm.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder;
    }
}

using OpenShell.Vm.Guest.Cluster.Workload;

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
    [InlineData("{\"apiVersion\": \"v1\"}")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata: {name: app}")]
    [InlineData("apiVersion: v1\nkind: List\nmetadata:\n  name: x\nitems: []")]
    [InlineData("apiVersion: v1\nkind: ConfigMapList\nmetadata:\n  name: x\nitems: []")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: app-")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  name: &anchor app")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  name: >\n    app")]
    [InlineData("kind: Pod\nmetadata:\n  name: app")]
    public void What_it_does_not_understand_for_certain_it_leaves_to_kubectl(string text) => ManifestReader.Read("x.yaml", text).ShouldHaveSingleItem().Header.ShouldBeNull();

    [Fact]
    public void A_separator_inside_of_a_text_is_none()
    {
        var documents = ManifestReader.Read("x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  text: |\n    ---\n    more\n---x: y\n");
        documents.Count.ShouldBe(1);
    }

    [Fact]
    public void The_manifests_of_the_product_are_all_understood()
    {
        var folder = Path.Combine(Repository(), "images", "manifests");
        foreach (var file in ManifestFolder.Files(folder))
            ManifestReader.Read(file, File.ReadAllText(file)).ShouldAllBe(d => d.Header != null);
    }

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenShell.Vm.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder;
    }
}

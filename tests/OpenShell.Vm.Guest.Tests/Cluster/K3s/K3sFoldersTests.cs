using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Guest.Cluster.Workload;

namespace OpenShell.Vm.Guest.Tests.Cluster.K3s;

public sealed class K3sFoldersTests : IDisposable
{
    private static readonly IReadOnlyList<ManifestDocument> Secrets = [new("the namespace", """{"kind":"Namespace"}""", new("v1", "Namespace", "x", null)), new("a secret", """{"kind":"Secret"}""", new("v1", "Namespace", "x", null))];

    private readonly TemporaryFolder _root = new();
    private readonly K3sLayout _layout;

    public K3sFoldersTests() => _layout = new K3sLayout(_root.Path);

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Secrets_are_a_manifest_that_only_root_reads_and_that_comes_first()
    {
        new K3sFolders(_layout).WriteManifests(Secrets, [Source("10-a.yaml", "a: 1\n")], []);

        Names(_layout.Manifests).ShouldBe(["openshell-00-secrets.yaml", "openshell-10-a.yaml"]);
        var secrets = Path.Combine(_layout.Manifests, "openshell-00-secrets.yaml");
        File.ReadAllText(secrets).ShouldBe("{\"kind\":\"Namespace\"}\n---\n{\"kind\":\"Secret\"}\n");
        File.GetUnixFileMode(secrets).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void What_is_ours_and_not_wanted_any_more_goes_and_what_is_k3ss_stays()
    {
        Directory.CreateDirectory(_layout.Manifests);
        foreach (var name in (string[])["coredns.yaml", "openshell-old.yaml", "mine.yaml"])
            File.WriteAllText(Path.Combine(_layout.Manifests, name), "");

        new K3sFolders(_layout).WriteManifests(Secrets, [], [Source("b.yaml", "b: 1\n")]);

        Names(_layout.Manifests).ShouldBe(["coredns.yaml", "mine.yaml", "openshell-00-secrets.yaml", "openshell-user-b.yaml"]);
    }

    [Fact]
    public void An_unchanged_manifest_is_not_touched()
    {
        var folders = new K3sFolders(_layout);
        folders.WriteManifests(Secrets, [], []);
        var secrets = Path.Combine(_layout.Manifests, "openshell-00-secrets.yaml");
        File.SetLastWriteTimeUtc(secrets, DateTime.UnixEpoch);

        folders.WriteManifests(Secrets, [], []);

        File.GetLastWriteTimeUtc(secrets).ShouldBe(DateTime.UnixEpoch);
    }

    [Fact]
    public void Archives_are_linked_and_links_that_lead_nowhere_go()
    {
        var first = Source("a.tar", "tar");
        Source("b.tar.zst", "zst");
        Source("notes.md", "no archive");
        var folders = new K3sFolders(_layout);

        folders.LinkImages([Path.GetDirectoryName(first)!, "/nonexistent"]);
        Names(_layout.Images).ShouldBe(["openshell-a.tar", "openshell-b.tar.zst"]);
        File.ReadAllText(Path.Combine(_layout.Images, "openshell-a.tar")).ShouldBe("tar");

        File.Delete(first);
        folders.LinkImages([Path.GetDirectoryName(first)!]);
        Names(_layout.Images).ShouldBe(["openshell-b.tar.zst"]);
    }

    [Fact]
    public void Charts_are_copied_to_where_k3s_serves_them()
    {
        var chart = Source("openshell-0.1.0.tgz", "chart");

        new K3sFolders(_layout).CopyCharts([Path.GetDirectoryName(chart)!]);

        File.ReadAllText(Path.Combine(_layout.Charts, "openshell-0.1.0.tgz")).ShouldBe("chart");
        new FileInfo(Path.Combine(_layout.Charts, "openshell-0.1.0.tgz")).LinkTarget.ShouldBeNull();
    }

    private string Source(string name, string text)
    {
        Directory.CreateDirectory(_root.File("source"));
        File.WriteAllText(_root.File("source/" + name), text);
        return _root.File("source/" + name);
    }

    private static IEnumerable<string?> Names(string folder) => Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}

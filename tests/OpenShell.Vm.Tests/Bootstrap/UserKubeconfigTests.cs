using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Tests.Bootstrap;

/// <summary>A kubeconfig that is the user's own: what is theirs stays as it is, to the last character.</summary>
public sealed class UserKubeconfigTests : IDisposable
{
    private const string Own = """
        apiVersion: v1
        kind: Config
        clusters:
        - name: openshell-default
          cluster:
            server: https://127.0.0.1:6443
            certificate-authority-data: Q0E=
        users:
        - name: openshell-default
          user:
            client-certificate-data: Q0VSVA==
            client-key-data: S0VZ
        contexts:
        - name: openshell-default
          context:
            cluster: openshell-default
            user: openshell-default
        current-context: openshell-default

        """;

    private const string Foreign = """
        # mine
        apiVersion: v1
        clusters:
        # the office
        - cluster:
            server: https://k8s.example  # over the VPN
            certificate-authority-data: |-
              QUJD
              REVG
          name: office

        - name: 'home'
          cluster: {server: "https://10.0.0.1:6443", insecure-skip-tls-verify: true}
        # no more clusters
        contexts:
          - context:
              cluster: office
              namespace: &ns shop
              user: me
            name: office
          - context: {cluster: home, user: me, namespace: *ns}
            name: home
        current-context: office # usually
        kind: Config
        preferences: {}
        users:
        - name: me
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1
              command: helper
              args:
              - --token
              - |
                two
                lines
        extensions:
        - name: x
          extension: 1

        """;

    private static readonly string[] Lists = ["clusters", "users", "contexts"];

    private readonly TestFolder _folder = new();

    private string Config => _folder.File("kube/config");

    public UserKubeconfigTests() => Directory.CreateDirectory(_folder.Directories.Kube);

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Styles => new()
    {
        Foreign,
        Foreign.Replace("\n", "\r\n", StringComparison.Ordinal),
        Foreign.TrimEnd('\n'),
        "",
        "# nothing yet\n",
        "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\npreferences: {}\ncurrent-context: \"\"\n",
        "apiVersion: v1\nkind: Config\nclusters: null\ncontexts:\nusers: ~ # none\ncurrent-context:\n",
        "kind: Config\nclusters: null",
        "---\nkind: Config\nclusters:\n-   cluster:\n        server: https://a\n    name: a\n",
        """{"kind":"Config","apiVersion":"v1","clusters":[{"name":"a","cluster":{"server":"https://a"}}],"users":[],"contexts":[{"name":"a","context":{"cluster":"a","user":"b"}}],"current-context":"a"}""",
        "{}",
        "{\"kind\": \"Config\", \"clusters\": null}\n",
        "kind: Config\nclusters: [{name: a, cluster: {server: https://a}}]\n",
    };

    [Theory]
    [MemberData(nameof(Styles))]
    public void What_is_merged_is_there_and_taken_out_again_all_is_as_it_was(string before)
    {
        File.WriteAllText(Config, before);
        var user = UserKubeconfig.For(_folder.Directories, null);

        var merged = user.Merge("default", Own, use: false);

        merged.File.ShouldBe(Config);
        var text = KubeconfigText.Parse(File.ReadAllText(Config));
        foreach (var list in Lists)
            text.Entry(list, "openshell-default").ShouldNotBeNull(list);
        text.Entry("users", "openshell-default")!.ToString().ShouldContain("S0VZ");
        user.FilesWith("default").ShouldBe([Config]);

        // Every line that was there still is, in its order.
        var after = File.ReadAllText(Config);
        var at = 0;
        foreach (var line in before == Foreign ? before.Split('\n') : [])
        {
            after.IndexOf(line, at, StringComparison.Ordinal).ShouldBeGreaterThanOrEqualTo(at, $"'{line}' is gone:\n{after}");
            at = after.IndexOf(line, at, StringComparison.Ordinal) + line.Length;
        }

        // And so is, as YAML reads it, everything that was in a list.
        Entries(after).Where(entry => !entry.Contains("\"openshell-default\"", StringComparison.Ordinal)).ShouldBe(Entries(before));

        // Once more changes nothing.
        user.Merge("default", Own, use: false);
        File.ReadAllText(Config).ShouldBe(after);

        user.Unmerge("default").ShouldBe([Config]);
        user.FilesWith("default").ShouldBeEmpty();
        if (before == Foreign || before == Foreign.Replace("\n", "\r\n", StringComparison.Ordinal))
            File.ReadAllText(Config).ShouldBe(before);
        KubeconfigText.Parse(File.ReadAllText(Config)).CurrentContext.ShouldBe(KubeconfigText.Parse(before).CurrentContext);
        Entries(File.ReadAllText(Config)).ShouldBe(Entries(before));
    }

    [Fact]
    public void A_port_that_has_changed_is_changed_and_two_instances_stand_side_by_side()
    {
        File.WriteAllText(Config, Foreign);
        var user = UserKubeconfig.For(_folder.Directories, null);
        user.Merge("default", Own, use: false);
        user.Merge("other", Own.Replace("openshell-default", "openshell-other", StringComparison.Ordinal), use: false);
        user.Merge("default", Own.Replace("6443", "7443", StringComparison.Ordinal), use: false);

        var text = File.ReadAllText(Config);
        text.ShouldContain("https://127.0.0.1:7443");
        KubeconfigText.Parse(text).Entry("clusters", "openshell-other")!.ToString().ShouldContain("6443");

        user.Unmerge("default");
        user.Unmerge("other");
        File.ReadAllText(Config).ShouldBe(Foreign);
    }

    [Fact]
    public void The_current_context_is_only_changed_when_asked_or_when_there_is_none()
    {
        File.WriteAllText(Config, Foreign);
        var user = UserKubeconfig.For(_folder.Directories, null);
        user.Merge("default", Own, use: false).IsCurrent.ShouldBeFalse();
        File.ReadAllText(Config).ShouldContain("current-context: office # usually");

        user.Merge("default", Own, use: true).IsCurrent.ShouldBeTrue();
        File.ReadAllText(Config).ShouldContain("current-context: openshell-default # usually");

        user.Unmerge("default");
        KubeconfigText.Parse(File.ReadAllText(Config)).CurrentContext.ShouldBeEmpty();

        File.Delete(Config);
        user.Merge("default", Own, use: false).IsCurrent.ShouldBeTrue();
    }

    [Fact]
    public void What_it_was_before_is_kept_and_its_permissions_stay()
    {
        File.WriteAllText(Config, Foreign);
        File.SetUnixFileMode(Config, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var user = UserKubeconfig.For(_folder.Directories, null);

        user.Merge("default", Own, use: false);

        File.ReadAllText(user.Backups.Single()).ShouldBe(Foreign);
        File.GetUnixFileMode(Config).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Directory.EnumerateFiles(_folder.Directories.Kube).Select(Path.GetFileName).Order().ShouldBe(["config", "config" + UserKubeconfig.BackupSuffix]);
    }

    [Fact]
    public void A_link_stays_a_link()
    {
        File.WriteAllText(_folder.File("dotfiles"), Foreign);
        File.CreateSymbolicLink(Config, _folder.File("dotfiles"));

        UserKubeconfig.For(_folder.Directories, null).Merge("default", Own, use: false);

        new FileInfo(Config).LinkTarget.ShouldBe(_folder.File("dotfiles"));
        File.ReadAllText(_folder.File("dotfiles")).ShouldContain("openshell-default");
    }

    [Theory]
    [InlineData("clusters: [")]
    [InlineData("a: b\n---\nc: d\n")]
    [InlineData("- a\n")]
    [InlineData("just words")]
    [InlineData("kind: Secret\n")]
    [InlineData("clusters: {a: b}\n")]
    [InlineData("kind: Config\nkind: Config\n")]
    [InlineData("\t- x: [}\n")]
    public void What_is_no_kubeconfig_is_refused_and_left_as_it_is(string content)
    {
        File.WriteAllText(Config, content);
        var user = UserKubeconfig.For(_folder.Directories, null);

        foreach (var attempt in (Action[])[() => user.Merge("default", Own, use: true), () => user.Unmerge("default")])
        {
            var fault = Should.Throw<FaultException>(attempt).Faults[0];
            fault.Code.ShouldBe("kubeconfig.unreadable");
            fault.What.ShouldContain(Config);
        }

        File.ReadAllText(Config).ShouldBe(content);
        Directory.EnumerateFiles(_folder.Directories.Kube).ShouldHaveSingleItem();
    }

    [Fact]
    public void What_is_taken_out_while_it_is_the_current_one_is_beside_the_file_as_it_was()
    {
        File.WriteAllText(Config, Foreign);
        var user = UserKubeconfig.For(_folder.Directories, null);
        user.Merge("default", Own, use: true);
        var merged = File.ReadAllText(Config);

        user.Unmerge("default").ShouldBe([Config]);

        File.ReadAllText(Config + UserKubeconfig.BackupSuffix).ShouldBe(merged);
        var text = KubeconfigText.Parse(File.ReadAllText(Config));
        (text.CurrentContext, text.Entry("contexts", "openshell-default")).ShouldBe(("", null));
    }

    [Fact]
    public void What_was_merged_follows_its_instance_and_nothing_is_merged_anew()
    {
        var renewed = Own.Replace("Q0VSVA==", "TkVX", StringComparison.Ordinal).Replace("6443", "7443", StringComparison.Ordinal);
        File.WriteAllText(Config, Foreign);
        var user = UserKubeconfig.For(_folder.Directories, null);
        user.Refresh("default", Own, renewed).ShouldBeEmpty();
        File.ReadAllText(Config).ShouldBe(Foreign);
        user.Merge("default", Own, use: true);
        var merged = File.ReadAllText(Config);

        user.Refresh("default", Own, renewed).ShouldBe([Config]);

        var now = File.ReadAllText(Config);
        now.ShouldContain("TkVX");
        now.ShouldContain("https://127.0.0.1:7443");
        now.ShouldNotContain("Q0VSVA==");
        now.ShouldContain("current-context: openshell-default # usually");
        File.ReadAllText(Config + UserKubeconfig.BackupSuffix).ShouldBe(merged);
        user.Unmerge("default");
    }

    [Theory]
    [InlineData("Q0E=", true)]
    [InlineData("T0xE", true)]
    [InlineData("T1RIRVI=", false)]
    public void A_context_of_an_instance_of_that_name_in_another_data_folder_is_left_alone(string authority, bool follows)
    {
        var user = UserKubeconfig.For(_folder.Directories, null);
        user.Merge("default", Own.Replace("Q0E=", authority, StringComparison.Ordinal), use: false);
        var before = File.ReadAllText(Config);

        // Its authority was replaced along with the rest.
        user.Refresh("default", Own.Replace("Q0E=", "T0xE", StringComparison.Ordinal), Own.Replace("Q0VSVA==", "TkVX", StringComparison.Ordinal)).Count.ShouldBe(follows ? 1 : 0);

        File.ReadAllText(Config).Contains("TkVX", StringComparison.Ordinal).ShouldBe(follows);
        if (!follows)
            File.ReadAllText(Config).ShouldBe(before);
    }

    [Fact]
    public void An_entry_of_that_name_that_is_somewhere_else_is_left_alone()
    {
        const string Elsewhere = "clusters:\n- name: openshell-default\n  cluster:\n    server: https://k8s.example\n";
        File.WriteAllText(Config, Elsewhere);
        var user = UserKubeconfig.For(_folder.Directories, null);

        Should.Throw<FaultException>(() => user.Merge("default", Own, use: false)).Faults[0].Code.ShouldBe("kubeconfig.foreign-entry");
        user.Unmerge("default").ShouldBeEmpty();
        File.ReadAllText(Config).ShouldBe(Elsewhere);
    }

    [Fact]
    public void Of_several_files_it_is_the_one_that_has_it_else_the_first_that_is_there_else_the_last()
    {
        string[] files = [_folder.File("a"), _folder.File("b"), _folder.File("c")];
        var user = UserKubeconfig.For(_folder.Directories, string.Join(':', files) + "::" + files[0]);

        user.Merge("default", Own, use: false).File.ShouldBe(files[2]);
        File.WriteAllText(files[1], Foreign);
        user.Merge("default", Own, use: false).File.ShouldBe(files[2]);
        File.Delete(files[2]);
        user.Merge("default", Own, use: false).File.ShouldBe(files[1]);
        File.Exists(files[0]).ShouldBeFalse();
    }

    [Fact]
    public void The_current_context_is_written_where_it_counts()
    {
        string[] files = [_folder.File("a"), _folder.File("b")];
        File.WriteAllText(files[0], "kind: Config\n");
        File.WriteAllText(files[1], "kind: Config\ncurrent-context: mine\n");
        var user = UserKubeconfig.For(_folder.Directories, string.Join(':', files));

        user.Merge("default", Own, use: true).ShouldBe(new KubeconfigMerge(files[0], "openshell-default", true));

        File.ReadAllText(files[0]).ShouldNotContain("current-context");
        File.ReadAllText(files[1]).ShouldBe("kind: Config\ncurrent-context: openshell-default\n");
    }

    [Fact]
    public void One_bad_file_among_several_is_enough_to_change_none()
    {
        File.WriteAllText(_folder.File("a"), "kind: Config\n");
        File.WriteAllText(_folder.File("b"), "[");

        Should.Throw<FaultException>(() => UserKubeconfig.For(_folder.Directories, _folder.File("a") + ":" + _folder.File("b")).Merge("default", Own, use: false)).Faults[0].What.ShouldContain(_folder.File("b"));
        File.ReadAllText(_folder.File("a")).ShouldBe("kind: Config\n");
    }

    [Fact]
    public void An_instances_own_file_is_not_merged_into()
    {
        var own = Kubeconfig.PathFor(_folder.Directories, "default");
        File.WriteAllText(own, Own);

        Should.Throw<FaultException>(() => UserKubeconfig.For(_folder.Directories, own).Merge("default", Own, use: false)).Faults[0].Code.ShouldBe("kubeconfig.nothing-to-merge");
        UserKubeconfig.For(_folder.Directories, own).Unmerge("default").ShouldBeEmpty();
        File.ReadAllText(own).ShouldBe(Own);
    }

    [Fact]
    public async Task Kubectl_reads_what_was_merged()
    {
        if (!File.Exists("/usr/bin/kubectl"))
            Assert.Skip("kubectl is missing (package kubernetes-client)");
        File.WriteAllText(Config, Foreign);
        UserKubeconfig.For(_folder.Directories, null).Merge("default", Own, use: true);

        using var kubectl = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/usr/bin/kubectl", ["--kubeconfig", Config, "config", "get-contexts", "-o", "name"]) { RedirectStandardOutput = true })!;
        var output = await kubectl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await kubectl.WaitForExitAsync(TestContext.Current.CancellationToken);

        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().ShouldBe(["home", "office", "openshell-default"]);
    }

    /// <summary>Each entry of the lists, whatever the style in which it is written.</summary>
    private static List<string> Entries(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents is not [{ RootNode: YamlMappingNode root }]
            ? []
            : [.. from list in Lists
                  from child in root.Children
                  where child.Key.ToString() == list && child.Value is YamlSequenceNode
                  from entry in ((YamlSequenceNode)child.Value).Children
                  select $"{list} {Plain(entry)}"];
    }

    private static string Plain(YamlNode node) => node switch
    {
        YamlMappingNode mapping => $"{{{string.Join(", ", mapping.Children.Select(child => $"{Plain(child.Key)}: {Plain(child.Value)}"))}}}",
        YamlSequenceNode sequence => $"[{string.Join(", ", sequence.Children.Select(Plain))}]",
        _ => $"\"{node}\"",
    };
}

using System.Net.Sockets;
using System.Text.Json;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary>What the real command writes into files that are the user's, and takes out again: kubeconfig, services at login, all of it at once.</summary>
public sealed class HostFilesTests : IDisposable
{
    private readonly Harness _harness = new();

    public HostFilesTests()
    {
        Write(".local/share/openshell-vm/instances/default/config.json", """{"name": "default", "mode": "Cluster"}""");
        Write(".local/share/openshell-vm/instances/default/status.json", $$"""{"name": "default", "phase": "Stopped", "kubeconfig": "{{Home(".kube/gateway.yaml")}}"}""");
        Write(".kube/gateway.yaml", """
            clusters:
            - name: openshell-default
              cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: Q0E=}
            users:
            - name: openshell-default
              user: {client-certificate-data: QQ==, client-key-data: QQ==}

            """);
    }

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task A_merged_context_goes_with_its_instance()
    {
        Write(".kube/config", "# mine\nkind: Config\ncurrent-context: office\n");

        (await _harness.GatewayAsync("kubeconfig", "--merge")).Out.ShouldBe($"The context openshell-default is in {Home(".kube/config")}; 'kubectl --context openshell-default' uses it.\n");
        Read(".kube/config").ShouldContain("server: https://127.0.0.1:6443");
        (await _harness.GatewayAsync("kubeconfig", "--merge", "--use-context")).Out.ShouldContain("and is the current one");

        var deleted = await _harness.GatewayAsync("delete");
        deleted.ExitCode.ShouldBe(0, deleted.Error);
        deleted.Error.ShouldContain($"Its context is taken out of {Home(".kube/config")}.");
        Read(".kube/config").ShouldNotContain("6443");
        Read(".kube/config").ShouldStartWith("# mine\nkind: Config\n");
        File.Exists(Home(".kube/gateway.yaml")).ShouldBeFalse();
    }

    [Fact]
    public async Task Unmerge_works_for_what_is_gone_and_options_at_odds_are_refused()
    {
        (await _harness.GatewayAsync("kubeconfig", "--unmerge", "--name", "gone")).Out.ShouldBe("The context openshell-gone was not in your kubeconfig.\n");
        (await _harness.GatewayAsync("kubeconfig", "--merge", "--unmerge")).ExitCode.ShouldBe(2);
        (await _harness.GatewayAsync("kubeconfig", "--use-context")).ExitCode.ShouldBe(2);
    }

    [Fact]
    public async Task A_kubeconfig_that_cannot_be_read_is_refused_and_keeps_no_instance_from_being_deleted()
    {
        Write(".kube/config", "clusters: [");

        var merge = await _harness.GatewayAsync("kubeconfig", "--merge");
        merge.ExitCode.ShouldBe(1);
        merge.Error.ShouldContain("is no kubeconfig that can be changed");

        var deleted = await _harness.GatewayAsync("delete");
        deleted.ExitCode.ShouldBe(0);
        deleted.Error.ShouldStartWith("note: ");
        Read(".kube/config").ShouldBe("clusters: [");
    }

    [Fact]
    public async Task A_service_is_installed_told_of_and_removed()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("launchd would be told of this");
        var unit = Home(".config/systemd/user/openshell-vm-default.service");
        (await _harness.GatewayAsync("service", "status")).Out.ShouldBe("'default' is not started at login; 'gateway service install' changes that.\n");

        var installed = await _harness.GatewayAsync("service", "install");
        installed.ExitCode.ShouldBe(0, installed.Error);
        installed.Out.ShouldStartWith($"'default' is started at your next login. Made for that:\n  {unit}\n");
        installed.Out.ShouldContain("loginctl enable-linger");
        (await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken)).ShouldContain($"ExecStart={Harness.Gateway} __supervise default");
        using (var status = JsonDocument.Parse((await _harness.GatewayAsync("service", "status", "--output", "json")).Out))
            status.RootElement.GetProperty("enabled").GetBoolean().ShouldBeTrue();

        (await _harness.GatewayAsync("service", "remove")).Out.ShouldStartWith("'default' is no longer started at login. Removed:\n");
        File.Exists(unit).ShouldBeFalse();
        (await _harness.GatewayAsync("service", "remove")).Out.ShouldContain("nothing to remove");
        (await _harness.GatewayAsync("service", "install", "--name", "nobody")).ExitCode.ShouldBe(1);
    }

    [Fact]
    public async Task A_service_starts_the_script_of_the_clone_whose_builds_come_and_go()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("launchd would be told of this");
        Write("my clone/gateway", "");
        var unit = Home(".config/systemd/user/openshell-vm-default.service");

        (await InstallAsync(Home("my clone/gateway"))).ExitCode.ShouldBe(0);
        (await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken)).ShouldContain($"ExecStart=\"{Home("my clone/gateway")}\" __supervise default\n");

        // One that is gone starts nothing.
        (await InstallAsync(Home("gone/gateway"))).ExitCode.ShouldBe(0);
        (await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken)).ShouldContain($"ExecStart={Harness.Gateway} __supervise default\n");
    }

    [Fact]
    public async Task A_path_that_no_service_can_have_is_refused_before_anything_is_written()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("launchd takes it");
        Write("it's mine/gateway", "");

        var refused = await InstallAsync(Home("it's mine/gateway"));

        refused.ExitCode.ShouldBe(1);
        refused.Error.ShouldContain("error: systemd starts no program whose path has a quote or a backslash in it");
        Directory.Exists(Home(".config/systemd")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_service_goes_with_its_instance_and_with_no_other_of_its_name()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("launchd would be told of this");
        var unit = Home(".config/systemd/user/openshell-vm-default.service");
        await _harness.GatewayAsync("service", "install");
        Write("elsewhere/openshell-vm/instances/default/config.json", """{"name": "default", "mode": "Cluster"}""");

        var other = await _harness.RunAsync(Harness.Gateway, ["delete"], environment: e => e["XDG_DATA_HOME"] = Home("elsewhere"));
        other.ExitCode.ShouldBe(0, other.Error);
        other.Error.ShouldNotContain("login");
        File.Exists(unit).ShouldBeTrue();

        var deleted = await _harness.GatewayAsync("delete");
        deleted.ExitCode.ShouldBe(0, deleted.Error);
        deleted.Error.ShouldContain($"It is no longer started at login: {unit} is removed.");
        Directory.EnumerateFileSystemEntries(Home(".config/systemd"), "*openshell*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    private Task<CommandResult> InstallAsync(string script) =>
        _harness.RunAsync(Harness.Gateway, ["service", "install"], environment: e => e["OPENSHELL_VM_COMMAND"] = script);

    [Fact]
    public async Task Uninstall_shows_asks_and_removes_all_but_what_is_the_users()
    {
        Write(".kube/config", "# mine\nkind: Config\n");
        await _harness.GatewayAsync("kubeconfig", "--merge");
        await _harness.GatewayAsync("service", "install");
        Write(".cache/openshell-vm/artifacts/x/y", "image");

        var dry = await _harness.GatewayAsync("uninstall", "--dry-run");
        dry.ExitCode.ShouldBe(0, dry.Error);
        foreach (var what in (string[])["service at login of default", "context openshell-default, merged", "kubeconfig of default", "instance default", "image cache"])
            dry.Out.ShouldContain(what);

        var unasked = await _harness.GatewayAsync("uninstall");
        unasked.ExitCode.ShouldBe(2);
        unasked.Error.ShouldContain("--yes");
        Directory.Exists(Home(".local/share/openshell-vm")).ShouldBeTrue();

        var done = await _harness.GatewayAsync("uninstall", "--yes");
        done.ExitCode.ShouldBe(0, done.Error);
        done.Out.ShouldContain("All of it is removed.");
        Directory.EnumerateFiles(_harness.Home, "*", SearchOption.AllDirectories).ShouldBe([Home(".kube/config")]);
        Read(".kube/config").ShouldStartWith("# mine\nkind: Config\n");
        (await _harness.GatewayAsync("uninstall", "--yes")).Error.ShouldContain("There is nothing to remove.");
    }

    [Theory]
    [InlineData()]
    [InlineData("--force")]
    public async Task Nothing_is_removed_while_an_instance_of_another_data_folder_runs(params string[] options)
    {
        Directory.CreateDirectory(Home("run/openshell-vm/other-01234567"));
        Write(".cache/openshell-vm/artifacts/x/y", "image");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(Home("run/openshell-vm/other-01234567/agent.sock")));
            socket.Listen();
            var refused = await UninstallAsync();
            refused.ExitCode.ShouldBe(1);
            refused.Error.ShouldContain("an instance of another data folder (XDG_DATA_HOME)");
            File.Exists(Home(".cache/openshell-vm/artifacts/x/y")).ShouldBeTrue();
        }

        var done = await UninstallAsync();
        done.ExitCode.ShouldBe(0, done.Error);
        Directory.Exists(Home("run/openshell-vm")).ShouldBeFalse();
        Directory.Exists(Home(".cache/openshell-vm")).ShouldBeFalse();

        Task<CommandResult> UninstallAsync() => _harness.RunAsync(Harness.Gateway, ["uninstall", "--yes", .. options], environment: variables => variables["XDG_RUNTIME_DIR"] = Home("run"));
    }

    private string Home(string path) => Path.Combine(_harness.Home, path);

    private string Read(string path) => File.ReadAllText(Home(path));

    private void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Home(path))!);
        File.WriteAllText(Home(path), content);
    }
}

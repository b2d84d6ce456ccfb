using System.Text.Json;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>What there is after <c>gateway up</c>.</summary>
public sealed class ReadyTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    [Fact]
    public async Task Status_says_ready_with_endpoint_processes_and_stage_times()
    {
        var status = await Cluster.StatusAsync();

        status.GetProperty("phase").GetString().ShouldBe("ready");
        status.GetProperty("endpoint").GetString()!.ShouldStartWith("https://127.0.0.1:");
        foreach (var role in (string[])["supervisor", "vmm", "gvproxy"])
            Directory.Exists($"/proc/{status.GetProperty("processes").GetProperty(role).GetProperty("pid").GetInt32()}").ShouldBeTrue(role);
        var stages = status.GetProperty("stages").EnumerateArray().ToDictionary(stage => stage.GetProperty("stage").GetString()!, stage => stage);

        // On its own disk there is no memory to speak of.
        foreach (var stage in BootStages.All.Where(stage => stage != BootStages.Resume || Cluster.Starts == 1))
        {
            stages.ShouldContainKey(stage);
            stages[stage].GetProperty("state").GetString().ShouldBeOneOf("completed", "skipped");
        }
        stages[BootStages.Ready].GetProperty("startSeconds").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task The_default_instance_answers_on_the_port_that_clients_know()
    {
        if (Cluster.Name != "default")
            Assert.Skip("port 30051 is taken by somebody else on this machine");

        (await Cluster.StatusAsync()).GetProperty("endpoint").GetString().ShouldBe("https://127.0.0.1:30051");
    }

    [Fact]
    public void What_up_wrote_to_a_file_has_no_terminal_codes()
    {
        Cluster.Up!.Out.ShouldNotContain('\u001b');
        Cluster.Up.Err.ShouldNotContain('\u001b');
        Cluster.Up.Err.ShouldNotContain('\r');
        (Cluster.Up.Out + Cluster.Up.Err).ShouldContain(BootStages.Ready);
    }

    [Fact]
    public async Task The_kubeconfig_is_the_owners_alone_and_the_command_knows_it()
    {
        (File.GetUnixFileMode(Kubectl.Kubeconfig) & Others).ShouldBe(UnixFileMode.None);
        (await Cluster.GatewayAsync("kubeconfig", "--path")).OrFail().Trim().ShouldBe(Kubectl.Kubeconfig);
        (await Cluster.GatewayAsync("kubeconfig")).OrFail().ShouldBe(await File.ReadAllTextAsync(Kubectl.Kubeconfig, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Clients_find_the_gateway_where_they_look_for_it()
    {
        var gateways = Path.Combine(Cluster.Home.Config, "openshell");
        var name = (await File.ReadAllTextAsync(Path.Combine(gateways, "active_gateway"), TestContext.Current.CancellationToken)).Trim();
        using var metadata = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(gateways, "gateways", name, "metadata.json"), TestContext.Current.CancellationToken));

        metadata.RootElement.GetProperty("name").GetString().ShouldBe(name);
        metadata.RootElement.GetProperty("gateway_endpoint").GetString().ShouldBe((await Cluster.StatusAsync()).GetProperty("endpoint").GetString());
        metadata.RootElement.GetProperty("is_remote").GetBoolean().ShouldBeFalse();
        metadata.RootElement.GetProperty("gateway_port").GetInt32().ShouldBe(new Uri(metadata.RootElement.GetProperty("gateway_endpoint").GetString()!).Port);
        foreach (var file in (string[])["ca.crt", "tls.crt", "tls.key"])
            (File.GetUnixFileMode(Path.Combine(Cluster.Mtls, file)) & Others).ShouldBe(UnixFileMode.None, file);
    }

    [Fact]
    public async Task List_shows_it()
    {
        using var list = JsonDocument.Parse((await Cluster.Gateway.RunAsync("list", "--output", "json")).OrFail());

        list.RootElement.EnumerateArray().Single().GetProperty("name").GetString().ShouldBe(Cluster.Name);
    }

    [Theory]
    [InlineData("console")]
    [InlineData("supervisor")]
    [InlineData("kube-apiserver")]
    [InlineData("kubelet")]
    [InlineData("containerd")]
    public async Task Every_log_can_be_read(string source) =>
        (await Cluster.GatewayAsync("logs", "--source", source)).OrFail().ShouldNotBeNullOrWhiteSpace();

    [Fact]
    public async Task A_log_is_followed_as_it_grows()
    {
        using var logs = Cluster.Gateway.Start("logs", "--name", Cluster.Name, "--source", "console", "--follow");
        try
        {
            // The first may be there before it is looked at; the second comes when the first has been shown.
            for (var time = 0; time < 2; time++)
            {
                var mark = "boot-test-" + Guid.NewGuid();
                (await Cluster.ExecAsync("--", "sh", "-c", $"echo {mark} > /dev/console")).OrFail();
                string? line;
                do
                    line = await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
                while (line is not null && !line.Contains(mark, StringComparison.Ordinal));
                line.ShouldNotBeNull();
            }
        }
        finally
        {
            logs.Kill();
        }
    }

    [Fact]
    public async Task A_second_up_of_the_same_instance_does_no_harm()
    {
        var again = await Cluster.Gateway.RunAsync("up", "--name", Cluster.Name, "--detach");

        again.OrFail();
        again.Err.ShouldContain("is already running");
        (await Cluster.StatusAsync()).GetProperty("phase").GetString().ShouldBe("ready");
    }

    [Fact]
    public async Task Nobody_gets_into_the_API_server_without_a_certificate()
    {
        var server = (await Cluster.StatusAsync()).GetProperty("apiServer").GetString()!;
        using var handler = new SocketsHttpHandler { UseProxy = false };
#pragma warning disable CA5359 // What the server lets in is asked, not who it is.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = new HttpClient(handler);

        foreach (var path in (string[])["/api/v1/namespaces", "/api/v1/secrets", "/apis"])
        {
            using var response = await http.GetAsync(new Uri(server + path), TestContext.Current.CancellationToken);
            ((int)response.StatusCode).ShouldBeOneOf(401, 403);
        }
    }
}

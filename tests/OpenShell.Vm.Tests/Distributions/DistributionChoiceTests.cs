using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Distributions;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Images.Downloads;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Distributions;

public sealed class DistributionChoiceTests
{
    private static readonly InstanceConfig Nothing = new() { Name = "default" };

    [Theory]
    [InlineData(null, null, false, "upstream")]
    [InlineData(null, null, true, "k3s")]
    [InlineData("auto", null, true, "k3s")]
    [InlineData("auto", "/opt/k3s", false, "k3s")]
    [InlineData("upstream", null, true, "upstream")]
    [InlineData("k3s", null, false, "k3s")]
    public void What_was_asked_for_wins_and_else_what_can_be_had(string? asked, string? binary, bool available, string chosen) =>
        DistributionChoice.Best(Nothing with { Distribution = asked, K3sBinary = binary }, Host(available)).ShouldBe(chosen);

    [Fact]
    public void The_choice_is_said_with_its_reason_and_what_was_asked_for_needs_none()
    {
        DistributionChoice.Notes(Nothing, Host(false)).ShouldBe(["Kubernetes: upstream, since k3s is out of reach."]);
        DistributionChoice.Notes(Nothing with { K3sBinary = "/opt/k3s" }, Host(false)).ShouldBe(["Kubernetes: k3s, since /opt/k3s was given."]);
        DistributionChoice.Notes(Nothing with { Distribution = "upstream" }, Host(true)).ShouldBeEmpty();
        DistributionChoice.Notes(Nothing with { Mode = GuestMode.Exec }, Host(true)).ShouldBeEmpty();
        DistributionChoice.Notes(Nothing, Made.Host()).ShouldBeEmpty("nobody has looked");
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(302, true)]
    [InlineData(404, false)]
    [InlineData(503, false)]
    public async Task A_release_is_there_when_its_page_says_so(int status, bool available)
    {
        using var server = new FileServer([1]) { Status = status };

        (await K3sAvailability.AskAsync(server.Address, TimeSpan.FromSeconds(20))).Available.ShouldBe(available);

        server.Requests.ShouldHaveSingleItem().ShouldStartWith("HEAD /v1%2Bk3s1/k3s ");
    }

    [Fact]
    public async Task A_server_that_never_answers_and_a_port_where_nobody_is_are_out_of_reach()
    {
        // The kernel lets callers in; nobody reads what they say.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        (await K3sAvailability.AskAsync(new Uri($"http://{silent.LocalEndpoint}/k3s"), TimeSpan.FromMilliseconds(200))).ShouldBe(new K3sAvailability(false, "is not in the cache, and 127.0.0.1 did not answer within 0.2 s"));
        (await K3sAvailability.AskAsync(new Uri("http://127.0.0.1:1/k3s"), TimeSpan.FromSeconds(20))).Why.ShouldContain("cannot be reached");
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("https://mirror.example/k3s", true)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("not a url", false)]
    [InlineData("http://", false)]
    [InlineData("file:///etc", false)]
    [InlineData("ftp://mirror.example/", false)]
    [InlineData("/srv/mirror", false)]
    public void A_mirror_is_a_URL_of_http(string? mirror, bool isSound) => (K3sRelease.FaultOf(mirror) is null).ShouldBe(isSound);

    [Fact]
    public void Files_lie_as_on_the_release_page_below_a_mirror_too()
    {
        K3sRelease.Address("k3s", null).AbsoluteUri.ShouldBe("https://github.com/k3s-io/k3s/releases/download/v1.34.2%2Bk3s1/k3s");
        K3sRelease.Address("k3s-arm64", "http://mirror.example/k3s/").AbsoluteUri.ShouldBe("http://mirror.example/k3s/v1.34.2%2Bk3s1/k3s-arm64");
    }

    [Theory]
    [InlineData("amd64")]
    [InlineData("arm64")]
    public void Every_pinned_file_has_a_hash(string architecture)
    {
        foreach (var file in (K3sFile[])[K3sRelease.Binary(architecture), K3sRelease.Images(architecture)])
        {
            file.Sha256.ShouldMatch("^[0-9a-f]{64}$");
            file.Name.ShouldNotBeEmpty();
        }
    }

    private static HostFacts Host(bool available) => Made.Host() with { K3s = new K3sAvailability(available, available ? "is in the cache" : "is out of reach") };
}

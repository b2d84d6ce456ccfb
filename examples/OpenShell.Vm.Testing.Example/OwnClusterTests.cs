using System.Net;
using System.Net.Http.Json;

namespace OpenShell.Vm.Testing.Example;

/// <summary>A test that leaves a cluster in a state that no other test wants to see has one of its own.</summary>
public sealed class OwnClusterTests
{
    [Fact]
    public async Task A_namespace_of_one_cluster_is_in_no_other()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var both = await Task.WhenAll(TestCluster.StartAsync(cancellationToken: cancelled), TestCluster.StartAsync(cancellationToken: cancelled));
        await using var first = both[0];
        await using var second = both[1];

        using var made = await first.Api.PostAsJsonAsync("/api/v1/namespaces", new { apiVersion = "v1", kind = "Namespace", metadata = new { name = "mine" } }, cancelled);

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        using var elsewhere = await second.Api.GetAsync(new Uri("/api/v1/namespaces/mine", UriKind.Relative), cancelled);
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
    }
}

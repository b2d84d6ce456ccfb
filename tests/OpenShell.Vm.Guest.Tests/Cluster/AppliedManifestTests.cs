using OpenShell.Vm.Guest.Cluster.Workload;

namespace OpenShell.Vm.Guest.Tests.Cluster;

public sealed class AppliedManifestTests : IDisposable
{
    private const string First = "/api/v1/namespaces/shop", Second = "/apis/apps/v1/namespaces/shop/deployments/web", Third = "/api/v1/namespaces/shop/services/web";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_applied_is_known_after_a_restart_until_it_is_forgotten()
    {
        var applied = new AppliedManifests(_folder.File("applied"));
        applied.All.ShouldBeEmpty();
        applied.Write("a.yaml", new AppliedManifest("hash", [First, Second]));
        applied.Write("b.yaml", AppliedManifest.None);

        var again = new AppliedManifests(_folder.File("applied")).All;
        again.Keys.Order().ShouldBe(["a.yaml", "b.yaml"]);
        again["a.yaml"].Hash.ShouldBe("hash");
        again["a.yaml"].Objects.ShouldBe([First, Second]);

        applied.Forget("a.yaml");
        applied.All.Keys.ShouldBe(["b.yaml"]);
    }

    [Fact]
    public void What_cannot_be_read_is_as_nothing() => AppliedManifest.Parse("{\"hash\":").ShouldBe(AppliedManifest.None);

    [Fact]
    public void What_nobody_names_any_more_is_deleted_last_first() =>
        AppliedManifest.ToDelete([First, Second, Third], [Second]).ShouldBe([Third, First]);

    [Theory]
    [InlineData("/apis/apps/v1beta2/namespaces/shop/deployments/web", "/apis/apps/v1/namespaces/shop/deployments/web")]
    [InlineData("/apis/extensions/v1beta1/namespaces/shop/ingresses/web", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web")]
    public void An_object_written_in_another_version_of_its_kind_is_still_the_same(string before, string now) => AppliedManifest.ToDelete([before], [now]).ShouldBeEmpty();

    [Theory]
    [InlineData("/api/v1/namespaces/shop/services/web", "/api/v1/namespaces/shop/secrets/web")]
    [InlineData("/api/v1/namespaces/shop/services/web", "/api/v1/namespaces/other/services/web")]
    [InlineData("/api/v1/namespaces/shop", "/api/v1/namespaces/shop/services/web")]
    public void Another_object_is_another(string before, string now) => AppliedManifest.ToDelete([before], [now]).ShouldBe([before]);
}

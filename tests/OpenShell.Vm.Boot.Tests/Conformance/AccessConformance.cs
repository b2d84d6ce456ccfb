using System.Net;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>Who may do what, and how much of it.</summary>
public abstract class AccessConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task A_service_account_may_do_what_its_role_grants_and_nothing_else()
    {
        await CreateAsync($$"""
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: reader}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: reader}
            rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: reader}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{kind: ServiceAccount, name: reader, namespace: {{Space}}}]
            ---
            {{Pod("seen", "sleep 100000")}}
            """);
        var token = (await Api.SendAsync(
            HttpMethod.Post, $"/api/v1/namespaces/{Space}/serviceaccounts/reader/token", """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":600}}""")).OrFail().Text("status.token")!;
        using var reader = Api.As(token);

        // What grants it is known to the API server a moment later.
        await Eventually.HoldsAsync("the role counts", async () => (await reader.SendAsync(HttpMethod.Get, Pods)).Status == HttpStatusCode.OK, Soon);
        (await reader.GetAsync(Pods)).Items().ShouldHaveSingleItem().Text("metadata.name").ShouldBe("seen");
        foreach (var (method, path) in ((HttpMethod, string)[])[
            (HttpMethod.Get, $"/api/v1/namespaces/{Space}/secrets"), (HttpMethod.Get, "/api/v1/namespaces/kube-system/pods"), (HttpMethod.Get, "/api/v1/nodes"), (HttpMethod.Delete, Pods + "/seen")])
        {
            var refused = await reader.SendAsync(method, path);
            refused.Status.ShouldBe(HttpStatusCode.Forbidden, path);
            refused.Message.ShouldContain($"User \"system:serviceaccount:{Space}:reader\" cannot", Case.Sensitive, path);
        }

        (await PodNowAsync("seen")).Text("metadata.deletionTimestamp").ShouldBeNull();
        using var stranger = Api.As(token[..^4] + "AAAA");
        (await stranger.SendAsync(HttpMethod.Get, Pods)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_pod_over_the_quota_is_refused_until_there_is_room_again()
    {
        var quota = $"/api/v1/namespaces/{Space}/resourcequotas/one";
        await CreateAsync("""
            apiVersion: v1
            kind: ResourceQuota
            metadata: {name: one}
            spec: {hard: {pods: "1"} }
            """);
        await Eventually.HoldsAsync("the quota counts", async () => (await Api.TryGetAsync(quota)).Text("status.hard.pods") == "1", Soon);
        await ReadyPodAsync("first", "sleep 100000");

        var refused = await Api.TryCreateAsync(Space, Pod("second", "sleep 100000"));

        refused.Status.ShouldBe(HttpStatusCode.Forbidden);
        refused.Message.ShouldContain("exceeded quota: one, requested: pods=1, used: pods=1, limited: pods=1");
        (await Api.GetAsync(Pods)).Items().ShouldHaveSingleItem().Text("metadata.name").ShouldBe("first");

        (await Api.SendAsync(HttpMethod.Delete, Pods + "/first")).OrFail();
        await Eventually.HoldsAsync("there is room again", async () => (await Api.TryCreateAsync(Space, Pod("second", "sleep 100000"))).Status == HttpStatusCode.Created, Soon);
    }
}

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>A test in a namespace of its own, with an image to run pods of.</summary>
public abstract class NamespaceTest(ClusterFixture cluster) : ClusterTest(cluster)
{
    private readonly string _namespace = "t-" + Guid.NewGuid().ToString("N")[..8];

    private protected Kubectl Namespaced => Kubectl.In(_namespace);

    /// <summary>The image; pods of it run <c>sh -c SCRIPT</c>.</summary>
    private protected string Image { get; private set; } = "";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Image = await Cluster.ImageAsync();
        await Kubectl.RunAsync("create", "namespace", _namespace);
        // The account is made by a controller; a pod that comes sooner is refused.
        await Running.Eventually.HoldsAsync(
            "the namespace's default service account",
            async () => (await Namespaced.TryAsync("get", "serviceaccount", "default", "-o", "name")).ExitCode == 0,
            TimeSpan.FromMinutes(2));
    }

    public override async ValueTask DisposeAsync()
    {
        if (Image.Length > 0)
            await Kubectl.TryAsync("delete", "namespace", _namespace, "--wait=false");
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A pod that runs a script. <paramref name="spec"/> is added to its spec.</summary>
    private protected Task PodAsync(string name, string script, string spec = "") => Namespaced.ApplyAsync($$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}, labels: {app: {{name}} } }
        spec:
          terminationGracePeriodSeconds: 0
          containers:
            - name: main
              image: {{Image}}
              imagePullPolicy: Never
              command: ["sh", "-c", {{System.Text.Json.JsonSerializer.Serialize(script)}}]
        {{spec}}
        """);
}

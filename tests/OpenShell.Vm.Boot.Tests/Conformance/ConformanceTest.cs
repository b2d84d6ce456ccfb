using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>A test in a namespace of its own, with an image to run pods of, on whichever cluster it is given.</summary>
public abstract class ConformanceTest(TestCluster cluster) : IAsyncLifetime
{
    /// <summary>For what takes seconds, on a machine that is emulated and busy.</summary>
    private protected static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    private protected TestCluster Cluster => cluster;

    private protected Kubectl Kubectl => cluster.Kubectl;

    private protected KubeApi Api => cluster.Api;

    /// <summary>The namespace.</summary>
    private protected string Space { get; } = "t-" + Guid.NewGuid().ToString("N")[..8];

    private protected Kubectl Namespaced => Kubectl.In(Space);

    /// <summary>The path of the namespace's pods.</summary>
    private protected string Pods => $"/api/v1/namespaces/{Space}/pods";

    /// <summary>The image; pods of it run <c>sh -c SCRIPT</c>.</summary>
    private protected string Image { get; private set; } = "";

    public virtual async ValueTask InitializeAsync()
    {
        await cluster.RequireAsync();
        Image = await cluster.ImageAsync();
        (await Api.SendAsync(HttpMethod.Post, "/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{Space}}}"}}""")).OrFail();
        // The account is made by a controller; a pod that comes sooner is refused.
        await Eventually.HoldsAsync(
            "the namespace's default service account",
            async () => (await Api.TryGetAsync($"/api/v1/namespaces/{Space}/serviceaccounts/default")).Text("metadata.uid") is not null,
            TimeSpan.FromMinutes(5));
    }

    public virtual async ValueTask DisposeAsync()
    {
        try
        {
            if (Image.Length > 0)
                await Api.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/" + Space);
        }
        catch (HttpRequestException)
        {
            // The test was about just that, and has failed.
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Makes the objects of a manifest.</summary>
    private protected Task CreateAsync(string manifest) => Api.CreateAsync(Space, manifest);

    /// <summary>Makes a pod that runs a script. <paramref name="spec"/> is added to its spec.</summary>
    private protected Task PodAsync(string name, string script, string spec = "") => CreateAsync(Pod(name, script, spec));

    /// <summary>Makes such a pod, and waits until it is ready.</summary>
    private protected async Task ReadyPodAsync(string name, string script, string spec = "")
    {
        await PodAsync(name, script, spec);
        await ReadyAsync(name);
    }

    /// <summary>A pod that runs a script. What is added may begin with more of its container, as deep as that is.</summary>
    private protected string Pod(string name, string script, string spec = "") => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}, labels: {app: {{name}} } }
        spec:
          terminationGracePeriodSeconds: 0
          containers:
            - name: main
              image: {{Image}}
              imagePullPolicy: Never
              command: ["sh", "-c", {{JsonSerializer.Serialize(script)}}]
        {{spec}}
        """;

    /// <summary>A container that runs a script, on one line, for templates of pods. <paramref name="more"/> is added to it: <c>readinessProbe: {...}</c>.</summary>
    private protected string Container(string script, string? more = null) =>
        $$"""{name: main, image: "{{Image}}", imagePullPolicy: Never, command: ["sh", "-c", {{JsonSerializer.Serialize(script)}}]{{(more is null ? "" : ", " + more)}} }""";

    /// <summary>A script that serves a text on port 8080.</summary>
    private protected static string Serving(string text) => $"mkdir -p /www; echo {text} > /www/index.html; exec httpd -f -p 8080 -h /www";

    /// <summary>Waits until a pod is ready.</summary>
    private protected Task ReadyAsync(string pod) => Eventually.HoldsAsync($"the pod {pod} is ready", async () => (await PodNowAsync(pod)).IsReady(), Soon);

    /// <summary>Waits until a pod has ended well.</summary>
    private protected Task SucceededAsync(string pod) => Eventually.HoldsAsync(
        $"the pod {pod} ends",
        async () =>
        {
            var phase = (await PodNowAsync(pod)).Text("status.phase");
            phase.ShouldNotBe("Failed", (await Namespaced.TryAsync("logs", pod)).ToString());
            return phase == "Succeeded";
        },
        Soon);

    /// <summary>A pod as the API has it; <c>default</c> when it is not there.</summary>
    private protected Task<JsonElement> PodNowAsync(string pod) => Api.TryGetAsync($"{Pods}/{pod}");

    /// <summary>What a container said.</summary>
    private protected async Task<string> LogAsync(string pod) => (await Api.GetAsync($"{Pods}/{pod}/log")).ToString();

    /// <summary>A line of shell in a pod.</summary>
    private protected Task<Finished> InAsync(string pod, string script) => Namespaced.TryAsync("exec", pod, "--", "sh", "-c", script);
}

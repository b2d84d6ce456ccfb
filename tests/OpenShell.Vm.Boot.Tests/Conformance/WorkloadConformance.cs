using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>The cluster is a cluster: what people do with kubectl works.</summary>
public abstract class WorkloadConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task The_node_is_Ready()
    {
        using var nodes = JsonDocument.Parse(await Kubectl.RunAsync("get", "nodes", "-o", "json"));

        var node = nodes.RootElement.GetProperty("items").EnumerateArray().Single();
        node.GetProperty("status").GetProperty("conditions").EnumerateArray()
            .Single(condition => condition.GetProperty("type").GetString() == "Ready").GetProperty("status").GetString().ShouldBe("True");
    }

    [Fact]
    public async Task Every_kind_of_controller_runs_its_pods()
    {
        var cron = (await Api.GetAsync("/apis/batch/v1")).Items("resources").Any(r => r.Text("name") == "cronjobs") ? "batch/v1" : "batch/v1beta1";
        await CreateAsync(string.Join("\n---\n",
        [
            Controller("apps/v1", "Deployment", "many", "replicas: 2, "),
            Controller("apps/v1", "DaemonSet", "each", ""),
            Controller("apps/v1", "StatefulSet", "named", "serviceName: named, replicas: 2, "),
            Job("once", "echo done", backoff: 0),
            $$"""
            apiVersion: {{cron}}
            kind: CronJob
            metadata: {name: again}
            spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{{Container("echo ticked")}}] } } } } }
            """,
        ]));

        await CountedAsync("apps/v1", "deployments/many", "status.availableReplicas", "2");
        await CountedAsync("apps/v1", "daemonsets/each", "status.numberReady", "1");
        await CountedAsync("apps/v1", "statefulsets/named", "status.readyReplicas", "2");
        await CountedAsync("batch/v1", "jobs/once", "status.succeeded", "1");
        // In the order of their numbers, by which they are known.
        foreach (var pod in (string[])["named-0", "named-1"])
            (await PodNowAsync(pod)).IsReady().ShouldBeTrue(pod);
        (await OfAsync("each")).ShouldHaveSingleItem().Text("spec.nodeName").ShouldBe((await Api.GetAsync("/api/v1/nodes")).Text("items.0.metadata.name"));
        (await LogAsync((await OfAsync("once")).ShouldHaveSingleItem().Text("metadata.name")!)).ShouldBe("done\n");

        // With the next minute.
        string? job = null;
        await Eventually.HoldsAsync(
            "a job of the CronJob has run",
            async () => (job = (await Api.TryGetAsync($"/apis/batch/v1/namespaces/{Space}/jobs")).Items()
                .FirstOrDefault(j => j.Text("metadata.ownerReferences.0.name") == "again" && j.Text("status.succeeded") == "1").Text("metadata.name")) is not null,
            Soon);
        (await LogAsync((await OfAsync(job!, "job-name")).ShouldHaveSingleItem().Text("metadata.name")!)).ShouldBe("ticked\n");

        Task CountedAsync(string version, string item, string path, string count) => Eventually.HoldsAsync(
            $"{item}: {path} is {count}", async () => (await Api.TryGetAsync($"/apis/{version}/namespaces/{Space}/{item}")).Text(path) == count, Soon);

        async Task<IReadOnlyList<JsonElement>> OfAsync(string name, string label = "app") => (await Api.GetAsync($"{Pods}?labelSelector={label}%3D{name}")).Items();
    }

    /// <summary>The API server writes such objects without knowing their type: another way through it than that of its own.</summary>
    [Fact]
    public async Task A_custom_resource_is_kept_and_given_back()
    {
        var group = Space + ".example.org";
        var definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things." + group;
        (await Api.SendAsync(HttpMethod.Post, Path.GetDirectoryName(definition)!, $$"""
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: things.{{group}} }
            spec:
              group: {{group}}
              scope: Namespaced
              names: {kind: Thing, listKind: ThingList, plural: things, singular: thing}
              versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true} } }]
            """, "application/yaml")).OrFail();
        try
        {
            var things = $"/apis/{group}/v1/namespaces/{Space}/things";
            await Eventually.HoldsAsync("the kind is served", async () => (await Api.TryGetAsync(things)).Text("kind") == "ThingList", Soon);
            await CreateAsync($$"""
                apiVersion: {{group}}/v1
                kind: Thing
                metadata: {name: one, labels: {a: b, c: d} }
                spec: {deep: {deeper: [1, two, {three: true}]}, color: green}
                """);

            var one = (await Api.GetAsync(things)).Items().ShouldHaveSingleItem();
            one.Text("spec.deep.deeper.2.three").ShouldBe("True");
            one.Text("spec.color").ShouldBe("green");
        }
        finally
        {
            await Api.SendAsync(HttpMethod.Delete, definition);
        }
    }

    [Fact]
    public async Task A_deployment_is_reached_by_its_service_rolls_to_a_new_version_and_is_deleted()
    {
        await Namespaced.ApplyAsync(Web("one", replicas: 2));
        await Namespaced.RunAsync("rollout", "status", "deployment/web", "--timeout", "600s");
        await ReadyPodAsync("client", "sleep 100000");

        // By the service's cluster IP, from another pod: kube-proxy and the pods' network.
        var address = await Namespaced.RunAsync("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
        await Eventually.HoldsAsync("the service answers", async () => await FetchAsync(address) == "one\n", TimeSpan.FromMinutes(5));

        await Namespaced.ApplyAsync(Web("two", replicas: 2));
        await Namespaced.RunAsync("rollout", "status", "deployment/web", "--timeout", "600s");
        await Eventually.HoldsAsync("only the new version answers", async () => await FetchAsync(address) == "two\n", TimeSpan.FromMinutes(5));
        (await Namespaced.RunAsync("rollout", "history", "deployment/web")).ShouldContain("2");

        await Namespaced.RunAsync("delete", "deployment/web", "service/web", "--timeout", "600s");
        await Namespaced.RunAsync("wait", "--for", "delete", "pod", "-l", "app=web", "--timeout", "600s");
        (await Namespaced.RunAsync("get", "all", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["pod/client"]);
    }

    [Fact]
    public async Task Logs_exec_and_port_forward_reach_a_pod()
    {
        await ReadyPodAsync("web", "echo first line; echo second line >&2; " + Serving("forwarded"));

        (await Namespaced.RunAsync("logs", "web")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().ShouldBe(["first line", "second line"]);

        var exec = await Namespaced.TryAsync("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3");
        exec.Out.ShouldBe("out\n");
        exec.Err.ShouldContain("err\n");
        exec.ExitCode.ShouldBe(3);

        using var forward = Namespaced.Start("port-forward", "pod/web", ":8080");
        try
        {
            var line = await forward.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
            var port = line!.Split(':')[1].Split(' ')[0];
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            (await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/"), TestContext.Current.CancellationToken)).ShouldBe("forwarded\n");
        }
        finally
        {
            forward.Kill();
        }
    }

    [Fact]
    public async Task ConfigMaps_and_Secrets_arrive_as_files_and_as_variables()
    {
        await Namespaced.RunAsync("create", "configmap", "settings", "--from-literal", "color=green");
        await Namespaced.RunAsync("create", "secret", "generic", "password", "--from-literal", "word=swordfish");
        await PodAsync("reader", "cat /settings/color /password/word; echo; echo $COLOR $WORD; ls -l /password/..data/word | head -c 10", """
              env:
                - name: COLOR
                  valueFrom: {configMapKeyRef: {name: settings, key: color}}
                - name: WORD
                  valueFrom: {secretKeyRef: {name: password, key: word}}
              volumeMounts:
                - {name: settings, mountPath: /settings}
                - {name: password, mountPath: /password}
          restartPolicy: Never
          volumes:
            - name: settings
              configMap: {name: settings}
            - name: password
              secret: {secretName: password, defaultMode: 256}
        """);
        await SucceededAsync("reader");

        (await Namespaced.RunAsync("logs", "reader")).ShouldBe("greenswordfish\ngreen swordfish\n-r--------");
    }

    [Fact]
    public async Task A_job_runs_to_completion_and_a_failing_one_is_tried_again()
    {
        await CreateAsync(Job("good", "echo done", backoff: 0));
        await CreateAsync(Job("bad", "exit 7", backoff: 1));

        await Namespaced.WaitAsync("condition=Complete", "job/good");
        (await Namespaced.RunAsync("logs", "job/good")).ShouldBe("done\n");
        await Namespaced.WaitAsync("condition=Failed", "job/bad");
        (await Namespaced.RunAsync("get", "job", "bad", "-o", "jsonpath={.status.failed}")).ShouldBe("2");
    }

    [Fact]
    public async Task A_pod_reaches_the_API_server_by_its_service_with_its_token_and_may_do_what_it_was_given()
    {
        await Namespaced.RunAsync("create", "role", "reader", "--verb", "get,list", "--resource", "pods");
        await Namespaced.RunAsync("create", "rolebinding", "reader", "--role", "reader", "--serviceaccount", Space + ":default");
        // kubectl finds address, token and CA as every client in a pod does: from the variables and the service account's files.
        await PodAsync("asker", "kubectl get pods -o name; kubectl get secrets; echo code $?", "  restartPolicy: Never");
        await SucceededAsync("asker");

        var log = await Namespaced.RunAsync("logs", "asker");
        log.ShouldContain("pod/asker\n");
        log.ShouldContain("Forbidden");
        log.ShouldContain("code 1");
    }

    private async Task<string> FetchAsync(string address) => (await Namespaced.TryAsync("exec", "client", "--", "timeout", "10", "wget", "-q", "-O", "-", $"http://{address}/")).Out;

    private string Web(string text, int replicas) => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: {{replicas}}
          selector: {matchLabels: {app: web} }
          template:
            metadata: {labels: {app: web} }
            spec:
              terminationGracePeriodSeconds: 0
              containers: [{{Container(Serving(text), "readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}")}}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
        """;

    private string Job(string name, string script, int backoff) => $$"""
        apiVersion: batch/v1
        kind: Job
        metadata: {name: {{name}} }
        spec:
          backoffLimit: {{backoff}}
          template:
            metadata: {labels: {app: {{name}} } }
            spec: {restartPolicy: Never, containers: [{{Container(script)}}]}
        """;

    private string Controller(string version, string kind, string name, string spec) => $$"""
        apiVersion: {{version}}
        kind: {{kind}}
        metadata: {name: {{name}} }
        spec: { {{spec}}selector: {matchLabels: {app: {{name}} } }, template: {metadata: {labels: {app: {{name}} } }, spec: {terminationGracePeriodSeconds: 0, containers: [{{Container("sleep 100000")}}] } } }
        """;
}

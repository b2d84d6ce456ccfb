using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>The cluster is a cluster: what people do with kubectl works.</summary>
public sealed class WorkloadTests(ClusterFixture cluster) : NamespaceTest(cluster)
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
    public async Task A_deployment_is_reached_by_its_service_rolls_to_a_new_version_and_is_deleted()
    {
        await Namespaced.ApplyAsync(Web("one", replicas: 2));
        await Namespaced.RunAsync("rollout", "status", "deployment/web", "--timeout", "180s");
        await PodAsync("client", "sleep 100000");
        await Namespaced.WaitAsync("condition=Ready", "pod/client");

        // By the service's cluster IP, from another pod: kube-proxy and the pods' network.
        var address = await Namespaced.RunAsync("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
        await Eventually.HoldsAsync("the service answers", async () => await FetchAsync(address) == "one\n", TimeSpan.FromSeconds(60));

        await Namespaced.ApplyAsync(Web("two", replicas: 2));
        await Namespaced.RunAsync("rollout", "status", "deployment/web", "--timeout", "180s");
        await Eventually.HoldsAsync("only the new version answers", async () => await FetchAsync(address) == "two\n", TimeSpan.FromSeconds(60));
        (await Namespaced.RunAsync("rollout", "history", "deployment/web")).ShouldContain("2");

        await Namespaced.RunAsync("delete", "deployment/web", "service/web", "--timeout", "120s");
        await Namespaced.RunAsync("wait", "--for", "delete", "pod", "-l", "app=web", "--timeout", "120s");
        (await Namespaced.RunAsync("get", "all", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["pod/client"]);
    }

    [Fact]
    public async Task Logs_exec_and_port_forward_reach_a_pod()
    {
        await PodAsync("web", "mkdir -p /www; echo forwarded > /www/index.html; echo first line; echo second line >&2; exec httpd -f -p 8080 -h /www");
        await Namespaced.WaitAsync("condition=Ready", "pod/web");

        (await Namespaced.RunAsync("logs", "web")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().ShouldBe(["first line", "second line"]);

        var exec = await Namespaced.TryAsync("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3");
        exec.Out.ShouldBe("out\n");
        exec.Err.ShouldContain("err\n");
        exec.ExitCode.ShouldBe(3);

        using var forward = Namespaced.Start("port-forward", "pod/web", ":8080");
        try
        {
            var line = await forward.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
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
        await Namespaced.ApplyAsync(Job("good", "echo done", backoff: 0));
        await Namespaced.ApplyAsync(Job("bad", "exit 7", backoff: 1));

        await Namespaced.WaitAsync("condition=Complete", "job/good");
        (await Namespaced.RunAsync("logs", "job/good")).ShouldBe("done\n");
        await Namespaced.WaitAsync("condition=Failed", "job/bad");
        (await Namespaced.RunAsync("get", "job", "bad", "-o", "jsonpath={.status.failed}")).ShouldBe("2");
    }

    [Fact]
    public async Task A_pod_reaches_the_API_server_by_its_service_with_its_token_and_may_do_what_it_was_given()
    {
        await Namespaced.RunAsync("create", "role", "reader", "--verb", "get,list", "--resource", "pods");
        await Namespaced.RunAsync("create", "rolebinding", "reader", "--role", "reader", "--serviceaccount", Namespaced.Namespace + ":default");
        // kubectl finds address, token and CA as every client in a pod does: from the variables and the service account's files.
        await PodAsync("asker", "kubectl get pods -o name; kubectl get secrets; echo code $?", "  restartPolicy: Never");
        await SucceededAsync("asker");

        var log = await Namespaced.RunAsync("logs", "asker");
        log.ShouldContain("pod/asker\n");
        log.ShouldContain("Forbidden");
        log.ShouldContain("code 1");
    }

    private Task SucceededAsync(string pod) => Eventually.HoldsAsync(
        $"pod {pod} ends",
        async () =>
        {
            var phase = await Namespaced.RunAsync("get", "pod", pod, "-o", "jsonpath={.status.phase}");
            phase.ShouldNotBe("Failed", (await Namespaced.TryAsync("logs", pod)).ToString());
            return phase == "Succeeded";
        },
        TimeSpan.FromMinutes(3));

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
              containers:
                - name: main
                  image: {{Image}}
                  imagePullPolicy: Never
                  command: ["sh", "-c", "mkdir -p /www; echo {{text}} > /www/index.html; exec httpd -f -p 8080 -h /www"]
                  readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1 }
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
            spec:
              restartPolicy: Never
              containers:
                - {name: main, image: "{{Image}}", imagePullPolicy: Never, command: ["sh", "-c", "{{script}}"] }
        """;
}

using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>A client of another language, as Debian ships it (https://github.com/kubernetes-client/python), from the host with the kubeconfig that the gateway prints.</summary>
public abstract class PythonClientConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    private const string Script = """
        import sys, threading
        from kubernetes import client, config, watch
        from kubernetes.stream import stream

        kubeconfig, space, image = sys.argv[1:4]
        config.load_kube_config(kubeconfig)
        core = client.CoreV1Api()

        core.create_namespaced_config_map(space, {'metadata': {'name': 'first', 'labels': {'of': 'python'}}, 'data': {'color': 'green'}})
        listed = core.list_namespaced_config_map(space, label_selector='of=python')
        print('list', [m.metadata.name for m in listed.items])

        # Begun where the list ended: what is made meanwhile must come, and nothing else.
        events, ready = [], threading.Event()
        def follow():
            watcher = watch.Watch()
            ready.set()
            for event in watcher.stream(core.list_namespaced_config_map, space, label_selector='of=python', resource_version=listed.metadata.resource_version, timeout_seconds=120):
                events.append((event['type'], event['object'].metadata.name, event['object'].data['color']))
                if event['type'] == 'DELETED':
                    watcher.stop()
        follower = threading.Thread(target=follow)
        follower.start()
        ready.wait()
        core.create_namespaced_config_map(space, {'metadata': {'name': 'second', 'labels': {'of': 'python'}}, 'data': {'color': 'red'}})
        patched = core.patch_namespaced_config_map('second', space, {'data': {'color': 'blue', 'shade': 'dark'}})
        print('patch', sorted(core.read_namespaced_config_map('second', space).data.items()))
        core.delete_namespaced_config_map('second', space)
        follower.join(150)
        print('watch', events)

        core.create_namespaced_pod(space, {'metadata': {'name': 'worker'}, 'spec': {'terminationGracePeriodSeconds': 0, 'containers': [
            {'name': 'main', 'image': image, 'imagePullPolicy': 'Never', 'command': ['sh', '-c', 'echo said by the pod; sleep 100000']}]}})
        watcher = watch.Watch()
        for event in watcher.stream(core.list_namespaced_pod, space, field_selector='metadata.name=worker', timeout_seconds=240):
            if any(s.ready for s in event['object'].status.container_statuses or []):
                watcher.stop()
        print('logs', repr(core.read_namespaced_pod_log('worker', space)))

        # Over a WebSocket, with streams of its own.
        run = stream(core.connect_get_namespaced_pod_exec, 'worker', space, command=['sh', '-c', 'read line; echo got $line; echo wrong >&2; exit 5'],
                     stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False)
        run.write_stdin('hello\n')
        run.run_forever(timeout=120)
        print('exec', repr(run.read_stdout()), repr(run.read_stderr()), run.returncode)

        # From before it is deleted: it may be gone before the watch begins.
        version = core.list_namespaced_pod(space).metadata.resource_version
        core.delete_namespaced_pod('worker', space)
        for event in watch.Watch().stream(core.list_namespaced_pod, space, field_selector='metadata.name=worker', resource_version=version, timeout_seconds=120):
            if event['type'] == 'DELETED':
                print('delete', event['object'].metadata.name)
                break
        try:
            core.read_namespaced_pod('worker', space)
        except client.exceptions.ApiException as error:
            print('then', error.status)
        """;

    [Fact]
    public async Task It_lists_watches_creates_patches_executes_and_reads_logs()
    {
        Python.SkipUnless("kubernetes", "python3-kubernetes");
        var kubeconfig = Path.Combine(Cluster.Home.Root, Space + ".yaml");
        await File.WriteAllTextAsync(kubeconfig, (await Cluster.GatewayAsync("kubeconfig")).OrFail(), TestContext.Current.CancellationToken);

        using var python = Python.Start(Script, kubeconfig, Space, Image);
        var run = await HostProgram.EndAsync(python, TimeSpan.FromMinutes(10));

        run.OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
        [
            "list ['first']",
            "patch [('color', 'blue'), ('shade', 'dark')]",
            "watch [('ADDED', 'second', 'red'), ('MODIFIED', 'second', 'blue'), ('DELETED', 'second', 'blue')]",
            @"logs 'said by the pod\n'",
            @"exec 'got hello\n' 'wrong\n' 5",
            "delete worker",
            "then 404",
        ], run.ToString());
    }
}

using System.Diagnostics;
using System.Security.Cryptography;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>
/// The guest's own etcd and API server as processes of the host: out of the root image and the Kubernetes artifact, started together as in the guest, on ports of the loopback. The API server signs for itself here and lets
/// everybody ask for its health, which is less work than the guest's does, not more.
/// </summary>
internal sealed class HostControlPlane
{
    private const string EtcdInImage = "usr/bin/etcd", KubernetesInImage = "usr/lib/openshell/kubernetes";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly string _folder;

    private HostControlPlane(string folder) => _folder = folder;

    /// <summary>Takes the programs out of the image.</summary>
    public static async Task<HostControlPlane> CreateAsync(BenchContext context)
    {
        var plan = (await context.Instances.PlanAsync(new InstanceConfig { Name = "bench-plane" })).Plan;
        var root = plan.Disks.First(disk => disk.ReadOnly).Path;
        var plane = new HostControlPlane(context.Home.In("plane"));
        await HostProgram.RunAsync("unsquashfs", ["-force", "-no-progress", "-dest", plane.In("root"), root, EtcdInImage, KubernetesInImage], Limit);

        // One program, which is what it is called.
        File.CreateSymbolicLink(plane.In("kube-apiserver"), plane.In("root/" + KubernetesInImage));
        using var key = RSA.Create(2048);
        await File.WriteAllTextAsync(plane.In("sa.key"), key.ExportRSAPrivateKeyPem());
        return plane;
    }

    /// <summary>From the start of both to an answer of <c>/readyz</c>, with an empty database.</summary>
    /// <returns>Seconds.</returns>
    public async Task<double> RunAsync()
    {
        var (clients, peers, api) = (HostProgram.FreePort(), HostProgram.FreePort(), HostProgram.FreePort());
        var data = Directory.CreateDirectory(In("data"));
        var clock = Stopwatch.StartNew();
        using var etcd = Start("root/" + EtcdInImage,
            "--name=default", "--data-dir=" + In("data/etcd"), "--logger=zap", "--log-level=warn",
            $"--listen-client-urls=http://127.0.0.1:{clients}", $"--advertise-client-urls=http://127.0.0.1:{clients}",
            $"--listen-peer-urls=http://127.0.0.1:{peers}", $"--initial-advertise-peer-urls=http://127.0.0.1:{peers}", $"--initial-cluster=default=http://127.0.0.1:{peers}");
        using var server = Start("kube-apiserver",
            $"--etcd-servers=http://127.0.0.1:{clients}", $"--secure-port={api}", "--bind-address=127.0.0.1", "--cert-dir=" + In("data/certificates"),
            "--service-cluster-ip-range=10.43.0.0/16", "--endpoint-reconciler-type=none", "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--profiling=false",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-account-key-file=" + In("sa.key"), "--service-account-signing-key-file=" + In("sa.key"));
        try
        {
            await ReadyAsync(api, server, etcd);
            return clock.Elapsed.TotalSeconds;
        }
        finally
        {
            foreach (var process in (Process[])[server, etcd])
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            data.Delete(recursive: true);
        }
    }

    private static async Task ReadyAsync(int port, params Process[] processes)
    {
        // Who it is says a certificate that it has just signed for itself: nothing is told it.
        using var handler = new SocketsHttpHandler { UseProxy = false };
#pragma warning disable CA5359
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = new HttpClient(handler);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Limit; await Task.Delay(Pause))
        {
            if (processes.FirstOrDefault(process => process.HasExited) is { } ended)
                throw new BenchException($"{Path.GetFileName(ended.StartInfo.ArgumentList[4])} ended with {ended.ExitCode} on the host: {Tail(ended)}");
            try
            {
                using var answer = await http.GetAsync(new Uri($"https://127.0.0.1:{port}/readyz"));
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
        }

        throw new BenchException($"The API server was not ready on the host within {Limit.TotalMinutes:0} minutes: {Tail(processes[0])}");
    }

    private Process Start(string program, params string[] arguments)
    {
        // Its words go to a file: a pipe that nobody reads fills up.
        var log = In(Path.GetFileName(program) + ".log");
        return Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log, In(program), .. arguments]))!;
    }

    private static string Tail(Process process) => File.Exists(LogOf(process)) ? string.Join(' ', File.ReadLines(LogOf(process)).TakeLast(3)) : "it said nothing";

    private static string LogOf(Process process) => process.StartInfo.ArgumentList[3];

    private string In(string name) => Path.Combine(_folder, name);
}

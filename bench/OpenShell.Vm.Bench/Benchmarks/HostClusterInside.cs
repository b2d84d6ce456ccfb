using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>The part of <see cref="HostCluster"/> that runs in its namespaces, as their first process: starts the guest's services as the guest does, each when what it waits for holds, and tells when each was healthy.</summary>
internal sealed class HostClusterInside : IDisposable
{
    /// <summary>What is to run: words of the command line.</summary>
    public const string ControlPlane = "control-plane", Node = "node";

    /// <summary>The node's address, as in a guest.</summary>
    public const string Address = "192.168.127.2";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5), Pause = TimeSpan.FromMilliseconds(50);

    // As the guest's PID 1 has it for all that it starts.
    private static readonly string[] Variables = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"];

    // No pods are run: no control groups are made for them, which would be the host's, and swap of the host's is nobody's business.
    private static readonly string[] OfHost = ["--cgroups-per-qos=false", "--enforce-node-allocatable=", "--fail-swap-on=false"];

    private readonly string _root;
    private readonly HttpClient _http;
    private readonly HealthProbe _probe;
    private readonly ConditionBoard _board = new();
    private readonly Stopwatch _clock = new();

    private HostClusterInside(string root, IReadOnlyDictionary<string, KeyPair> certificates)
    {
        _root = root;
        _http = Client(certificates);
        _probe = new HealthProbe(AnswersAsync);
        foreach (var milestone in Enum.GetValues<Milestone>())
            _board.Fulfil(new Condition.Done(milestone));
    }

    /// <summary>Runs it; prints the times as JSON.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> MainAsync(string root, string what)
    {
        try
        {
            var node = new ClusterNode("bench", Address);
            using var cluster = new HostClusterInside(root, HostClusterFiles.Write(root, node));
            using var limit = new CancellationTokenSource(Limit);
            Console.Out.Write(ServiceTimes.Write(await cluster.RunAsync(Services(node, withNode: what == Node), limit.Token)));
            return 0;
        }
        catch (BenchException problem)
        {
            Console.Error.WriteLine(problem.Message);
            return 1;
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>What is run.</summary>
    internal static IReadOnlyList<Service> Services(ClusterNode node, bool withNode) =>
    [
        EtcdService.Describe(),
        ApiServerService.Describe(node),
        ControllerManagerService.Describe(),
        SchedulerService.Describe(),
        .. withNode ? [ContainerdService.Describe(), OnHost(KubeletService.Describe(node)), ProxyService.Describe(node)] : Array.Empty<Service>(),
    ];

    private static Service OnHost(Service kubelet) => kubelet with { Command = [.. kubelet.Command, .. OfHost] };

    private async Task<IReadOnlyDictionary<string, ServiceTime>> RunAsync(IReadOnlyList<Service> services, CancellationToken cancellationToken)
    {
        _clock.Start();
        var times = new Dictionary<string, ServiceTime>();
        await foreach (var healthy in Task.WhenEach(services.Select(service => RunAsync(service, cancellationToken))))
        {
            // It waited for one that tells itself why it was not healthy.
            if (healthy.IsCanceled)
                continue;

            // The first that cannot go on ends this process, and all others with it.
            var (name, time) = await healthy;
            times.Add(name, time);
        }

        return times;
    }

    private async Task<(string Name, ServiceTime Time)> RunAsync(Service service, CancellationToken cancellationToken)
    {
        foreach (var condition in service.Conditions)
            await _board.WaitAsync(condition, cancellationToken);
        var start = _clock.Elapsed;
        using var process = Start(service);
        if (service.Reachable is { } reachable)
        {
            await HoldsAsync(service, process, reachable, cancellationToken);
            _board.Fulfil(new Condition.Answering(service.Name));
        }

        await HoldsAsync(service, process, service.Health, cancellationToken);
        _board.Fulfil(new Condition.Healthy(service.Name));
        return (service.Name, new ServiceTime(start.TotalSeconds, _clock.Elapsed.TotalSeconds));
    }

    private async Task HoldsAsync(Service service, Process process, HealthCheck check, CancellationToken cancellationToken)
    {
        try
        {
            while (!await _probe.AskAsync(Here(check), cancellationToken))
            {
                if (process.HasExited)
                    throw new BenchException($"{service.Name} ended with {process.ExitCode} on the host: {Tail(service)}");
                await Task.Delay(Pause, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new BenchException($"{service.Name} was not healthy on the host within {Limit.TotalMinutes:0} minutes: {Tail(service)}");
        }
    }

    // Sockets are files, and we see the root from outside.
    private HealthCheck Here(HealthCheck check) => check switch
    {
        HealthCheck.UnixSocket unix => new HealthCheck.UnixSocket(_root + unix.Path),
        HealthCheck.UnixHttp unix => new HealthCheck.UnixHttp(_root + unix.Socket, unix.Path),
        _ => check,
    };

    private Process Start(Service service)
    {
        // Its words go to a file: a pipe that nobody reads fills up.
        string[] command =
        [
            "-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", LogOf(service),
            "chroot", _root, "/usr/bin/env", "--ignore-environment", "--chdir=" + service.WorkingDirectory, .. Variables, .. service.Environment, .. service.Command,
        ];
        return Process.Start(new ProcessStartInfo("/bin/sh", command))!;
    }

    private string Tail(Service service) => File.Exists(LogOf(service)) ? string.Join(' ', File.ReadLines(LogOf(service)).TakeLast(3)) : "it said nothing";

    private string LogOf(Service service) => $"{_root}/var/log/{service.Name}.log";

    private async Task<bool> AnswersAsync(string url, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(url), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // The administrator, who believes the cluster's own authority and no other.
    private static HttpClient Client(IReadOnlyDictionary<string, KeyPair> certificates)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificates[ClusterCertificates.ClusterCa].Open());
        var options = new SslClientAuthenticationOptions { CertificateChainPolicy = trust, ClientCertificates = [certificates[ClusterCertificates.Admin].Open()] };
        return new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = options });
    }
}

using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Testing;

/// <summary>
/// A real Kubernetes cluster with a gateway on it, in a virtual machine of its own, for one test or the tests of one fixture. Its supervisor is this process: when that ends, however it ends, the machine does too.
/// Disposing it throws everything away. Safe for concurrent use, as are any number of them side by side.
/// </summary>
public sealed partial class TestCluster : IAsyncDisposable
{
    private readonly Remains _remains;

    private TestCluster(Remains remains, InstanceStatus status, IGuestAgent agent, string? bootedBecause)
    {
        _remains = remains;
        Status = status;
        Agent = agent;
        Instance = remains.Running!;
        BootedBecause = bootedBecause;
        Kubeconfig = status.Kubeconfig!;
        Mtls = MtlsFiles.Of(remains.Instances.Options.Directories, status.Name);
        Api = ClusterApi.Connect(Kubeconfig);
    }

    /// <summary>The instance's random name.</summary>
    public string Name => Status.Name;

    /// <summary>Path of its kubeconfig, for kubectl and client libraries; gone with the cluster.</summary>
    public string Kubeconfig { get; }

    /// <summary>The API server: base address, its authority and the administrator's certificate are set. <c>Api.GetStringAsync("/api/v1/nodes")</c> works.</summary>
    public HttpClient Api { get; }

    /// <summary>Where the gateway listens: gRPC over mutual TLS, with <see cref="Mtls"/>.</summary>
    public Uri GatewayEndpoint => new(Status.Endpoint!);

    /// <summary>What a client of the gateway presents and trusts.</summary>
    public MtlsFiles Mtls { get; }

    /// <summary>What it was when it became ready: endpoints, forwards with their ports, processes, times of its stages.</summary>
    public InstanceStatus Status { get; }

    /// <summary>The instance: its <see cref="IRunningInstance.Completion"/> faults where the machine is lost.</summary>
    public IRunningInstance Instance { get; }

    /// <summary>The machine's agent: programs with their streams, files in and out.</summary>
    public IGuestAgent Agent { get; }

    /// <summary>Why it had to boot; <see langword="null"/>: it began as a copy of a golden image.</summary>
    public string? BootedBecause { get; }

    /// <summary>Runs a program in the machine, as root, to its end.</summary>
    /// <param name="command">The program and its arguments: <c>ExecAsync("cat", "/etc/hostname")</c>. No shell is involved.</param>
    public Task<ExecOutput> ExecAsync(params string[] command)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentOutOfRangeException.ThrowIfZero(command.Length);
        return ExecAsync(new ExecRequest { Program = command[0], Arguments = command[1..] });
    }

    /// <summary>Runs a program in the machine, with environment and working directory, to its end.</summary>
    /// <param name="request">What to run; its stdin is empty. <see cref="Agent"/> runs programs with a stdin.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <exception cref="Faults.FaultException">The machine is gone.</exception>
    public Task<ExecOutput> ExecAsync(ExecRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ExecOutput.RunAsync(Agent, request, cancellationToken);
    }

    /// <summary>Ends the machine at once, and removes everything that was written for it.</summary>
    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _remains.DisposeAsync().ConfigureAwait(false);
    }
}

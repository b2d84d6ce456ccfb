using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.K3sStandIn;

/// <summary><c>k3s server</c>, as far as the stand-in goes: until SIGTERM.</summary>
internal sealed class Server : IStageReporter
{
    private readonly ServerOptions _options;
    private readonly Layout _layout;
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
    private readonly ProcessLauncher _launcher;
    private readonly Tool _tool;

    private Server(ServerOptions options)
    {
        _options = options;
        _layout = new Layout(options.Data);
        _launcher = new ProcessLauncher(_reaper);
        _tool = new Tool(_launcher, Layout.Run + "/stand-in");
    }

    /// <summary>Runs it.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(ServerOptions options)
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var server = new Server(options);
        try
        {
            return await server.ServeAsync(stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        finally
        {
            server._reaper.Dispose();
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
    }

    /// <inheritdoc/>
    public void Report(string stage, StageState state, string? detail, GuestFault? fault, ServiceEnd? ended) => Console.WriteLine($"{stage} {state} {detail} {fault?.What}".TrimEnd());

    /// <summary>runc starts itself anew with an environment of its own, so a variable does not lead it to its libraries (libcontainer's init, at v1.1.5).</summary>
    private async Task UseLibrariesAsync(string programs)
    {
        Directory.CreateDirectory("/etc/ld.so.conf.d");
        await File.WriteAllTextAsync("/etc/ld.so.conf.d/k3s-stand-in.conf", programs + "/aux\n").ConfigureAwait(false);
        var result = await _tool.RunAsync("ldconfig", TimeSpan.FromMinutes(1), "/sbin/ldconfig").ConfigureAwait(false);
        if (!result.IsSuccess)
            await Console.Error.WriteLineAsync(result.ToString()).ConfigureAwait(false);
    }

    private async Task<int> ServeAsync(CancellationToken stopping)
    {
        Console.WriteLine($"Starting {StandIn.Version}");
        var programs = Payload.Unpack(Environment.ProcessPath!, _layout);
        await UseLibrariesAsync(programs).ConfigureAwait(false);
        KillFormer();
        foreach (var folder in (string[])[_layout.Manifests, _layout.Charts, _layout.Images, _layout.Containerd, _layout.Logs, Layout.Run])
            Directory.CreateDirectory(folder);
        if (await new Datastore(_layout, _tool).OpenAsync().ConfigureAwait(false) is { } why)
        {
            await Console.Error.WriteLineAsync($"level=fatal msg=\"{why}\"").ConfigureAwait(false);
            return 1;
        }

        var certificates = MakeCertificates();
        var components = new Components(_options, _layout, programs);
        components.WriteConfiguration();
        components.WriteKubeconfigs(certificates);
        WriteToken();
        WriteKubeconfig(certificates);
        using var api = new ApiClient(
            certificates[ClusterCertificates.Admin],
            ServerTrust.Exactly(certificates[ClusterCertificates.ApiServer].CertificatePem, certificates[ClusterCertificates.Loopback].CertificatePem));
        var board = new ConditionBoard();
        var context = new ServiceContext { Launcher = _launcher, Reporter = this, Board = board, Probe = new HealthProbe(api.IsOkAsync), Logs = _layout.Logs, Cgroups = false };
        using var services = new ServiceManager(context);
        foreach (var milestone in (Milestone[])[Milestone.StateDisk, Milestone.Certificates, Milestone.Firewall])
            board.Fulfil(new Condition.Done(milestone));
        services.Start(components.Services());
        try
        {
            var folders = new Folders(_layout, programs, _tool, new ManifestApplier(api));
            await board.WaitAsync(new Condition.Healthy(ContainerdService.Name), stopping).ConfigureAwait(false);
            await folders.ImportAsync().ConfigureAwait(false);
            board.Fulfil(new Condition.Done(Milestone.Images));
            await board.WaitAsync(new Condition.Healthy(ApiServerService.Name), stopping).ConfigureAwait(false);
            await Task.WhenAll(
                new Addons(_options, _layout, api, services, _tool).RunAsync(stopping),
                folders.WatchAsync(stopping)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Console.WriteLine("Stopping");
        }

        await services.StopAsync(0, int.MaxValue).ConfigureAwait(false);
        return 0;
    }

    private IReadOnlyDictionary<string, KeyPair> MakeCertificates()
    {
        var store = new CertificateStore(_layout.Tls, TimeProvider.System);
        var profiles = ClusterCertificates.For(new ClusterNames
        {
            NodeName = _options.NodeName,
            NodeAddress = _options.NodeAddress,
            ApiServiceAddress = ClusterLayout.ApiServiceAddress,
            GatewayName = "none",
            Further = _options.Names,
        });
        var certificates = store.Ensure([.. profiles.Where(p => !p.Name.StartsWith("gateway-", StringComparison.Ordinal))]);
        store.EnsureSigningKey();
        return certificates;
    }

    // https://docs.k3s.io/cli/token: the form of a server's token.
    private void WriteToken()
    {
        if (!File.Exists(_layout.Token))
            OwnerFile.Write(_layout.Token, $"K10{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))}::server:{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}\n");
    }

    private void WriteKubeconfig(IReadOnlyDictionary<string, KeyPair> certificates)
    {
        OwnerFile.Write(
            Layout.Kubeconfig,
            Kubeconfig.Text("default", ClusterLayout.ApiServer, certificates[ClusterCertificates.ClusterCa].CertificatePem, certificates[ClusterCertificates.Admin]));
        File.SetUnixFileMode(Layout.Kubeconfig, (UnixFileMode)Convert.ToInt32(_options.KubeconfigMode, 8));
    }

    /// <summary>Components of a stand-in that was killed: k3s's end with it, being the same process.</summary>
    private void KillFormer()
    {
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process))
                continue;
            var program = new FileInfo(folder + "/exe").LinkTarget;
            if (program?.StartsWith(_layout.Unpacked + "/", StringComparison.Ordinal) == true && !Path.GetFileName(program).StartsWith("containerd-shim", StringComparison.Ordinal))
                _ = Linux.Kill(process, Linux.SignalKill);
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Tests;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Events;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

/// <summary>The real supervisor of an instance that was suspended, and a QEMU that ends when it is to load a saved machine.</summary>
public sealed class GoingOnTests : IDisposable
{
    private const string Name = "box";

    // It says yes to everything but to be loaded; one that boots is silent.
    private const string Qemu = """
        import json, re, socket, sys
        qmp = socket.socket(socket.AF_UNIX)
        qmp.connect(next(re.search("path=([^,]*)", a).group(1) for a in sys.argv if a.startswith("socket,id=qmp,")))
        def say(message):
            qmp.sendall((json.dumps(message) + "\n").encode())
        say({"QMP": {}})
        for line in qmp.makefile():
            command = json.loads(line)
            if command["execute"] in ("migrate-incoming", "quit"):
                sys.exit(1 if command["execute"] == "migrate-incoming" else 0)
            say({"return": {"status": "running"}, "id": command["id"]})
        """;

    private readonly TestFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task A_QEMU_that_ends_while_it_loads_is_followed_by_one_that_boots()
    {
        var (options, host) = Options();
        var files = _folder.Instance(Name);
        var config = Config(host) with { Network = NetworkNames.None };
        InstanceStore.WriteConfig(files, config);
        await SuspendAsync(files, config, host);

        await using var supervisor = new Supervisor(options, config, files, InstanceLock.Acquire(files, Name), [], null);
        await Eventually.BeTrueAsync(() => supervisor.Completion.IsCompleted || Events(files).Count(name => name == EventNames.MachineStarted) == 2, "it is powered on again");
        Events(files).ShouldBe([EventNames.Starting, EventNames.MachineStarted, EventNames.ResumeFailed, EventNames.MachineStarted]);
        (await File.ReadAllTextAsync(files.SupervisorLog, Token)).ShouldContain("suspended memory could not be gone on from, and it boots: ");
        JsonSerializer.Deserialize(await File.ReadAllTextAsync(files.Plan, Token), InstanceJson.Default.BootPlan)!.Resume.ShouldBeNull();
        new Snapshot(files).Exists.ShouldBeFalse();

        // What a memory would lie over is of no use to one that boots, nor to one that has stopped.
        await File.WriteAllTextAsync(files.MemoryBase, "below", Token);
        await supervisor.StopAsync(force: true);
        File.Exists(files.MemoryBase).ShouldBeFalse();
    }

    [Fact(Timeout = 120_000)]
    public async Task One_that_is_woken_refuses_nobody_until_gvproxy_has_its_ports()
    {
        var (options, host) = Options(RealTools.Gvproxy);
        var files = _folder.Instance(Name);
        var port = PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0);
        var config = Config(host) with { GatewayPort = port };
        InstanceStore.WriteConfig(files, config);
        var gateway = new PortForward { HostPort = port, GuestPort = GuestNetworkPlan.GatewayPort };
        await using var bell = Doorbell.Listen([gateway], _ => { });

        await using var supervisor = new Supervisor(options, config, files, InstanceLock.Acquire(files, Name), [gateway], null, waking: bell);
        var callers = new List<TcpClient>();
        try
        {
            while (bell.Holds(gateway) && !supervisor.Completion.IsCompleted)
            {
                var caller = new TcpClient();
                callers.Add(caller);
                try
                {
                    await caller.ConnectAsync(IPAddress.Loopback, port, Token);
                }
                catch (SocketException) when (!bell.Holds(gateway))
                {
                    // Given back at this moment.
                }

                await Task.Delay(TimeSpan.FromMilliseconds(1), Token);
            }

            await Eventually.BeTrueAsync(() => supervisor.Completion.IsCompleted || supervisor.Status.Ports.Contains(gateway), "the port is forwarded");
            supervisor.Completion.IsCompleted.ShouldBeFalse();
            callers.Count.ShouldBeGreaterThan(1);
            PortCheck.IsFree(PortProtocol.Tcp, "127.0.0.1", port).ShouldBeFalse();
        }
        finally
        {
            callers.ForEach(caller => caller.Dispose());
        }

        await supervisor.StopAsync(force: true);
    }

    private static InstanceConfig Config(HostFacts host) => InstanceDefaults.Fill(new InstanceConfig { Name = Name, Vcpus = 1, MemoryMib = 2048, Distribution = "upstream", Hypervisor = "qemu" }, host);

    private (InstancesOptions Options, HostFacts Host) Options(string? gvproxy = null)
    {
        if (!File.Exists(Python.Path))
            Assert.Skip($"{Python.Path} is missing (package python3)");
        var qemu = _folder.File("qemu-system");
        File.WriteAllText(qemu, $"#!{Python.Path}\n{Qemu}\n");
        File.SetUnixFileMode(qemu, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var host = Made.Host() with { Qemu = qemu, Gvproxy = gvproxy };
        return (new InstancesOptions { Directories = _folder.Directories, Host = host, Images = new Built(Images()), HelloBudget = TimeSpan.FromMinutes(5) }, host);
    }

    private ImageSet Images()
    {
        foreach (var name in new[] { "kernel", "initramfs", "root.img" })
            File.WriteAllText(_folder.File(name), name);
        return new ImageSet { Kernel = _folder.File("kernel"), Initramfs = _folder.File("initramfs"), Root = _folder.File("root.img"), Key = "0123456789abcdef" };
    }

    private async Task SuspendAsync(InstanceFiles files, InstanceConfig config, HostFacts host)
    {
        var bottom = _folder.File("bottom.img");
        await File.WriteAllBytesAsync(bottom, new byte[1 << 16], Token);
        Qcow2Overlay.Create(files.StateDisk, bottom, backingIsRaw: true, 1 << 30);
        DiskGeneration.Advance(files);
        Directory.CreateDirectory(files.Snapshot);
        await File.WriteAllTextAsync(new Snapshot(files).Machine, "a machine", Token);
        var images = Images();
        var machine = MachineIdentity.Of(BootPlanner.Plan(config, host, images, files, DiskFormat.Qcow2), host, await HostFiles.Sha256Async(host.Qemu!, Token), images.Key);
        Snapshot.Write(files.Snapshot, new SnapshotRecord
        {
            Format = SnapshotRecord.CurrentFormat,
            Machine = machine,
            NamesMemory = false,
            Disk = DiskState.Of(files),
            Machinery = await SavedFile.MakeAsync(files.Snapshot, Snapshot.MachineName, Token),
            MadeAt = DateTimeOffset.UnixEpoch,
        });
    }

    private static string[] Events(InstanceFiles files) =>
        File.Exists(files.Events) ? [.. File.ReadLines(files.Events).Select(line => JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent)!.Event)] : [];

    /// <summary>Images that are there.</summary>
    private sealed class Built(ImageSet set) : IImages
    {
        public Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default) => Task.FromResult<ImageSet?>(set);

        public Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => Task.FromResult(set);

        public Task<KernelImage> EnsureKernelAsync(string? architecture = null, bool refresh = false, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<IReadOnlyList<KernelColumn>> KernelsAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<KernelColumn> StockKernelAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }
}

using System.Globalization;
using System.Text.Json;
using OpenShell.Tests.Timing;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Events;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Supervision.Watching;
using OpenShell.Vm.Tests.Support;
using Kubeconfig = OpenShell.Vm.Bootstrap.Kubeconfig;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>Where an instance lives that has a supervisor and a guest, and no machine; and what must be true of its files, whatever the guest has said.</summary>
internal sealed class LifePlace : IDisposable
{
    public const string Name = "box";

    /// <summary>Bytes of an instance's logs and records after one life; a good one has some 20 KiB.</summary>
    private const long MostKept = 4 << 20;

    private static readonly string[] KubeconfigKeys =
    [
        "apiVersion", "kind", "clusters", "name", "cluster", "server", "certificate-authority-data", "users", "user", "client-certificate-data", "client-key-data", "contexts", "context", "current-context",
    ];

    private readonly TestFolder _folder = new();
    private readonly StandInImages _images;
    private readonly HostFacts _host;
    private Witness? _witness;
    private string _home = "";
    private int _homes;

    public LifePlace()
    {
        _images = new StandInImages(_folder);
        var qemu = _folder.File("qemu");
        File.WriteAllText(qemu, StandInMachine.Program);
        File.SetUnixFileMode(qemu, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _host = Made.Host() with { Qemu = qemu, Gvproxy = null };

        // With TSI there are forwarded ports without a process that listens there: that is this test's.
        Config = InstanceDefaults.Fill(new InstanceConfig { Name = Name, Vcpus = 1, MemoryMib = 2048, Distribution = "upstream", Hypervisor = "qemu" }, _host) with { Network = NetworkNames.Tsi };
        Credentials = InstanceCredentials.Make(new ClusterNames { NodeName = Name, NodeAddress = GuestNetworkPlan.GuestAddress, GatewayName = GatewayRegistration.NameFor(Name) }, DateTimeOffset.UtcNow);
        File.WriteAllBytes(_folder.File("bottom.img"), new byte[1 << 16]);
        Directory.CreateDirectory(_folder.File("outside"));
        File.WriteAllText(_folder.File("outside/file"), "not the guest's");
        Directory.CreateDirectory(Tree + "/sub");
        File.WriteAllText(Tree + "/sub/file", new string('x', 3000));
        File.CreateSymbolicLink(Tree + "/link", "sub/file");
        Begin();
    }

    /// <summary>What the guest's gateway and API server are known by.</summary>
    public InstanceCredentials Credentials { get; }

    public InstanceConfig Config { get; }

    public InstanceFiles Files { get; private set; } = Made.Files(Name);

    /// <summary>A folder of the guest's.</summary>
    public string Tree => _folder.File("tree");

    /// <summary>Where somebody copies it to.</summary>
    public string Taken => _home + "/taken";

    public InstancesOptions Options(ManualTime time, Func<HostClocks> clocks) => new()
    {
        Directories = Directories,
        Host = _host,
        Images = _images,
        UsesGolden = false,
        Time = time,
        HostClocks = clocks,
        HelloBudget = TimeSpan.FromMinutes(5),
        Silence = HostileLife.Silence,
        Certificates = new RenewalRule { Interval = HostileLife.Renewal },
        Shutdown = new ShutdownLimits { Accept = TimeSpan.FromMilliseconds(200), PowerOff = TimeSpan.FromMilliseconds(200), PowerDown = TimeSpan.FromMilliseconds(200) },
    };

    /// <summary>A new home, with a new instance that has a disk.</summary>
    public void Begin()
    {
        // Of the last one only its disk is large.
        if (_homes > 0)
            File.Delete(Files.StateDisk);
        _home = _folder.File(string.Create(CultureInfo.InvariantCulture, $"homes/{++_homes}"));
        Directory.CreateDirectory(Taken);
        Files = InstanceFiles.For(Directories, InstanceName.Parse(Name));
        InstanceStore.CreateFolders(Files);
        InstanceStore.WriteConfig(Files, Config);
        Qcow2Overlay.Create(Files.StateDisk, _folder.File("bottom.img"), backingIsRaw: true, 1 << 30);
    }

    /// <summary>As if it had been suspended.</summary>
    public async Task SuspendAsync(CancellationToken cancellationToken)
    {
        DiskGeneration.Advance(Files);
        Directory.CreateDirectory(Files.Snapshot);
        await File.WriteAllTextAsync(new Snapshot(Files).Machine, "a machine", cancellationToken);
        var plan = BootPlanner.Plan(Config, _host, _images.Set, Files, DiskFormat.Qcow2);
        Snapshot.Write(Files.Snapshot, new SnapshotRecord
        {
            Format = SnapshotRecord.CurrentFormat,
            Machine = MachineIdentity.Of(plan, _host, await HostFiles.Sha256Async(_host.Qemu!, cancellationToken), _images.Set.Key),
            NamesMemory = false,
            Disk = DiskState.Of(Files),
            Machinery = await SavedFile.MakeAsync(Files.Snapshot, Snapshot.MachineName, cancellationToken),
            MadeAt = DateTimeOffset.UnixEpoch,
        });
    }

    /// <summary>From now on nothing changes outside of the homes.</summary>
    public void Watch() => _witness = new Witness(_folder.Path, _folder.File("homes"));

    /// <summary>After the end of a life: everything can be read, shows nothing that drives a terminal, and nobody else's was touched.</summary>
    public void ShouldBeWhole()
    {
        _witness?.ShouldSeeNoChange();

        // Nor is anybody still at it.
        Strangers().ShouldBeEmpty();

        var status = InstanceStore.ReadStatus(Files).ShouldNotBeNull();
        status.Processes.ShouldBeEmpty();
        ShouldDriveNoTerminal(status.Disks.Select(disk => disk.Path));
        ShouldDriveNoTerminal(Lines(Files.SupervisorLog));
        ShouldDriveNoTerminal(status.Stages.SelectMany(stage => new[] { stage.Stage, stage.Detail }));
        ShouldDriveNoTerminal(InstanceStore.ReadFaults(Files).Append(status.Fault).SelectMany(fault => new[] { fault?.Code, fault?.What, fault?.Remedy, fault?.Stage }));
        var timeline = Lines(Files.Timeline).Select(line => JsonSerializer.Deserialize(line, InstanceJsonLines.Default.TimelineEvent).ShouldNotBeNull()).ToList();
        ShouldDriveNoTerminal(timeline.SelectMany(happened => new[] { happened.Stage, happened.Detail }));
        var events = Lines(Files.Events).Select(line => JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent).ShouldNotBeNull()).ToList();
        events.Select(happened => happened.Event).Except(EventNames.All.Keys).ShouldBeEmpty();
        new InstanceStore(Directories).ReadConfig(InstanceName.Parse(Name)).Name.ShouldBe(Name);
        Directory.EnumerateFiles(Files.Root).Where(file => Path.GetExtension(file) is ".json" or ".jsonl" or ".log").Sum(file => new FileInfo(file).Length).ShouldBeLessThan(MostKept);
        KubeconfigShouldBeOurs();
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Files and folders that are neither of the instance nor on the way there; the folder of the sockets is to be gone.</summary>
    private IEnumerable<string> Strangers()
    {
        string[] own = [Files.Root, Path.Combine(Taken, "tree"), new GatewayRegistration(Directories, Name).Folder, Path.Combine(Directories.OpenShellConfig, "active_gateway"), KubeconfigFile, Directories.Runtime];
        return Others(_home);

        IEnumerable<string> Others(string folder) => Directory.EnumerateFileSystemEntries(folder)
            .SelectMany(entry => own.Contains(entry) && entry != Directories.Runtime ? [] : own.Any(path => path == entry || path.StartsWith(entry + "/", StringComparison.Ordinal)) || entry == Taken ? Others(entry) : [entry]);
    }

    private HostDirectories Directories => _folder.Directories with { Data = _home, OpenShellConfig = _home + "/config", Runtime = _home + "/run", Kube = _home + "/kube" };

    private string KubeconfigFile => Kubeconfig.PathFor(Directories, Name);

    /// <summary>It leads to this host, and names no program.</summary>
    private void KubeconfigShouldBeOurs()
    {
        if (!File.Exists(KubeconfigFile))
            return;
        File.GetUnixFileMode(KubeconfigFile).ShouldBe(AtomicFile.OwnerOnly);
        foreach (var line in File.ReadLines(KubeconfigFile))
        {
            var (key, value) = line.TrimStart(' ', '-').Split(": ", 2) is [var first, var second] ? (first, second) : (line.TrimStart(' ', '-').TrimEnd(':'), "");
            KubeconfigKeys.ShouldContain(key);
            if (key == "server")
                value.ShouldStartWith("https://127.0.0.1:");
            value.ShouldAllBe(c => char.IsAsciiLetterOrDigit(c) || "+/=:.-".Contains(c));
        }
    }

    private static void ShouldDriveNoTerminal(IEnumerable<string?> texts) => texts.OfType<string>().ShouldAllBe(text => !text.Any(char.IsControl));

    private static IEnumerable<string> Lines(string file) => File.Exists(file) ? File.ReadLines(file) : [];
}

using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Instances;

/// <summary>Every path that belongs to one instance: the only place in which their names are written.</summary>
public sealed record InstanceFiles
{
    /// <summary>
    /// Longest path of a Unix socket in bytes: <c>sun_path</c> holds 108 on Linux (https://man7.org/linux/man-pages/man7/unix.7.html) and 104 on macOS,
    /// one of which is the terminating zero.
    /// </summary>
    public static int MaxSocketPath => OperatingSystem.IsMacOS() ? 103 : 107;

    private InstanceFiles(string root, string run) => (Root, Run) = (root, run);

    /// <summary>The instance's folder, which outlives its runs; for a program's VM a folder that is removed when the program has ended.</summary>
    public string Root { get; }

    /// <summary>The folder of the sockets, short on purpose and only there while the instance runs: <c>run</c> in <see cref="Root"/> is a link to it.</summary>
    public string Run { get; }

    /// <summary>The link to <see cref="Run"/>.</summary>
    public string RunLink => Path.Combine(Root, RunName);

    private const string RunName = "run";

    /// <summary>What the user asked for (<see cref="InstanceConfig"/>).</summary>
    public string Config => Path.Combine(Root, "config.json");

    /// <summary>The machine as last started (<see cref="Planning.BootPlan"/>).</summary>
    public string Plan => Path.Combine(Root, "plan.json");

    /// <summary>The truth about the last run (<see cref="InstanceStatus"/>), replaced whole at each change.</summary>
    public string Status => Path.Combine(Root, "status.json");

    /// <summary>The processes of a program's VM, which has no <see cref="Status"/>: what ends them where their supervisor was killed.</summary>
    public string Processes => Path.Combine(Root, ProcessesName);

    internal const string ProcessesName = "processes.json";

    /// <summary>Why the last start failed (a list of <see cref="Fault"/>); absent when it did not.</summary>
    public string Fault => Path.Combine(Root, "fault.json");

    /// <summary>Locked (flock) by the supervisor for its life; holds its process id and start time.</summary>
    public string Lock => Path.Combine(Root, "lock");

    /// <summary>Locked (flock) for the moment in which <see cref="Config"/> is read, changed and written.</summary>
    internal string ConfigLock => Path.Combine(Root, "config.lock");

    /// <summary>The state disk: containerd's content, etcd's data, PKI. The only thing here that cannot be made again.</summary>
    public string StateDisk => Path.Combine(Root, "state.qcow2");

    /// <summary>Where a clone comes from (<see cref="InstanceOrigin"/>); absent from all others.</summary>
    public string Origin => Path.Combine(Root, "origin.json");

    /// <summary>Events of the last start (<see cref="Timeline.TimelineEvent"/>), one JSON object per line.</summary>
    public string Timeline => Path.Combine(Root, "timeline.jsonl");

    /// <summary>The same as the bytes of the disk, where there was no qemu-img to make the other: made with libkrun.</summary>
    public string RawStateDisk => Path.Combine(Root, "state.img");

    /// <summary>What the user gives the guest along, as a disk (<see cref="Deliveries.DeliveryDisk"/>).</summary>
    public string DeliveryDisk => Path.Combine(Root, "delivery.tar");

    /// <summary>The digest of that, once it is whole.</summary>
    public string DeliveryStamp => DeliveryDisk + ".stamp";

    /// <summary>How often the disk was given to a machine to write to (<see cref="Snapshots.DiskGeneration"/>).</summary>
    public string Generation => Path.Combine(Root, "generation");

    /// <summary>The folder with the memory of a suspended machine; there whole or not at all.</summary>
    public string Snapshot => Path.Combine(Root, "memory");

    /// <summary>The guest's console since its last power-on.</summary>
    public string ConsoleLog => Path.Combine(Root, "console.log");

    /// <summary>What QEMU itself said.</summary>
    public string VmmLog => Path.Combine(Root, "qemu.log");

    /// <summary>What libkrun and its process said.</summary>
    public string KrunLog => Path.Combine(Root, "libkrun.log");

    /// <summary>What gvproxy said.</summary>
    public string GvproxyLog => Path.Combine(Root, "gvproxy.log");

    /// <summary>What the supervisor did, and when.</summary>
    public string SupervisorLog => Path.Combine(Root, "supervisor.log");

    /// <summary>What happened to the instance, over all its runs (<see cref="Events.InstanceEvent"/>), one JSON object per line; rotated.</summary>
    public string Events => Path.Combine(Root, "events.jsonl");

    /// <summary>What virtiofsd said, which serves folders of the host.</summary>
    public string VirtiofsdLog => Path.Combine(Root, "virtiofsd.log");

    /// <summary>Where virtiofsd serves the folder of that number.</summary>
    public string ShareSocket(int number) => Path.Combine(Run, $"share{number}.sock");

    /// <summary>The broker: any process of this user talks here to the supervisor and, through it, to the guest.</summary>
    public string AgentSocket => Path.Combine(Run, "agent.sock");

    /// <summary>The hypervisor's end of the agent's virtio-serial port, or vsock port; only the supervisor connects to it.</summary>
    public string GuestSocket => Path.Combine(Run, "guest.sock");

    /// <summary>Where QEMU calls to be controlled (QMP).</summary>
    public string QmpSocket => Path.Combine(Run, "qmp.sock");

    /// <summary>Why libkrun's process could not start the machine (a list of <see cref="Fault"/>); the supervisor reads it when that process has ended.</summary>
    public string VmmFault => Path.Combine(Run, "vmm-fault.json");

    /// <summary>The sockets that gvproxy makes: the only folder of the host that it may write to.</summary>
    internal string NetworkFolder => Path.Combine(Run, Networking.ForwardSocket.FolderName);

    /// <summary>gvproxy's end of the guest's network interface.</summary>
    public string NetworkSocket => Path.Combine(NetworkFolder, "guest");

    /// <summary>gvproxy's control socket (HTTP).</summary>
    public string NetworkControlSocket => Path.Combine(NetworkFolder, "api");

    /// <summary>Where gvproxy listens for a forwarded Unix socket; at the path that its user wants there is a link to it.</summary>
    internal string ForwardSocket(string path) => Networking.ForwardSocket.In(NetworkFolder, path);

    /// <summary>The console of the <paramref name="attempt"/>th power-on (from 1), kept because the guest hung in it.</summary>
    public string ConsoleOfAttempt(int attempt) => Path.Combine(Root, $"console.{attempt}.log");

    /// <summary>The console of a machine that was lost, kept because the instance was started again: 1 is the youngest.</summary>
    public string ConsoleOfLost(int number) => Path.Combine(Root, $"console.lost.{number}.log");

    /// <summary>Begins the names of the disks that were frozen when a clone was made: <c>base.ID.qcow2</c>, <c>base.ID.img</c>. Never written again.</summary>
    internal const string BasePrefix = "base.";

    /// <summary>A frozen disk.</summary>
    internal string BaseDisk(string id, Planning.DiskFormat format) => Path.Combine(Root, $"{BasePrefix}{id}{(format == Planning.DiskFormat.Raw ? ".img" : ".qcow2")}");

    /// <summary>A second name for the memory of the golden image that this machine began as: what it has not written to is there. Never written again.</summary>
    internal string MemoryBase => Path.Combine(Root, "memory.base");

    /// <summary>What <see cref="IInstances.StartDetachedAsync"/> asks of the supervisor that it starts: two starts at one instant must not take one another's.</summary>
    internal string StartRequest(string id) => Path.Combine(Root, $"start.{id}.json");

    /// <summary>The state disk that is there; <see langword="null"/>: none was made yet.</summary>
    internal string? ExistingStateDisk => File.Exists(StateDisk) ? StateDisk : File.Exists(RawStateDisk) ? RawStateDisk : null;

    /// <summary>The state disk in a format.</summary>
    public string StateDiskOf(Planning.DiskFormat format) => format == Planning.DiskFormat.Raw ? RawStateDisk : StateDisk;

    /// <summary>The files of an instance that is kept.</summary>
    /// <exception cref="FaultException">The paths of its sockets would be too long (<c>instance.path-too-long</c>).</exception>
    public static InstanceFiles For(HostDirectories directories, InstanceName name)
    {
        ArgumentNullException.ThrowIfNull(directories);
        ArgumentNullException.ThrowIfNull(name);
        return Checked(Of(directories, name));
    }

    /// <summary>The same for who only looks at what is kept, and connects to nobody: however long the paths of its sockets are.</summary>
    internal static InstanceFiles Of(HostDirectories directories, InstanceName name)
    {
        var root = Path.Combine(InstancesFolder(directories), name.Value);
        return new InstanceFiles(root, RunOf(root) ?? RunFolder(directories, name));
    }

    /// <summary>Where an instance has its sockets by its host's folders.</summary>
    internal static string RunFolder(HostDirectories directories, InstanceName name)
    {
        var root = Path.Combine(InstancesFolder(directories), name.Value);

        // Two data folders (of two users of one temporary directory, or of tests) may hold instances of one name: the hash keeps their sockets apart.
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)).AsSpan(0, 4));
        return Path.Combine(directories.Runtime, $"{name.Value}-{hash}");
    }

    /// <summary>The files of a VM that runs one program: all in one folder that goes when the program has ended.</summary>
    /// <param name="directories">The host's folders.</param>
    /// <param name="id">Tells it from others that run at the same time.</param>
    /// <exception cref="FaultException">As with <see cref="For"/>.</exception>
    public static InstanceFiles Ephemeral(HostDirectories directories, string id)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var root = Path.Combine(directories.Runtime, EphemeralPrefix + id);
        return Checked(new InstanceFiles(root, root));
    }

    /// <summary>Where the folders of all instances are.</summary>
    public static string InstancesFolder(HostDirectories directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        return Path.Combine(directories.Data, "instances");
    }

    /// <summary>Begins the names of the folders of <see cref="Ephemeral"/>; no instance's folder can, since a name has no dot.</summary>
    internal const string EphemeralPrefix = "exec.";

    /// <summary>Where one that runs has its sockets: whoever asks may have another environment than who started it.</summary>
    private static string? RunOf(string root) => new FileInfo(Path.Combine(root, RunName)).LinkTarget is { } link && Directory.Exists(link) ? link : null;

    private static InstanceFiles Checked(InstanceFiles files)
    {
        string[] sockets = [files.AgentSocket, files.GuestSocket, files.QmpSocket, files.NetworkSocket, files.NetworkControlSocket, files.ForwardSocket("")];
        var longest = sockets.MaxBy(Encoding.UTF8.GetByteCount)!;
        var length = Encoding.UTF8.GetByteCount(longest);
        return length <= MaxSocketPath
            ? files
            : throw new FaultException(new Fault
            {
                Code = "instance.path-too-long",
                What = $"The socket {longest} has a path of {length} bytes; the system allows {MaxSocketPath}.",
                Remedy = "Set XDG_RUNTIME_DIR to a private folder with a shorter path, or use a shorter instance name.",
                IsUsage = true,
            });
    }
}

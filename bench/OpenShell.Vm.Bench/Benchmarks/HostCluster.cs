using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>
/// The guest's own Kubernetes on the host itself: the programs of the root image in namespaces of network, mounts and processes, with the guest's command lines and certificates and its questions about health. What runs there ends
/// with them; what it writes is a folder of this.
/// </summary>
internal sealed class HostCluster
{
    /// <summary>The word by which this program runs itself inside of the namespaces (<see cref="HostClusterInside"/>).</summary>
    public const string Inside = "__host-cluster";

    private const string Script = "Benchmarks/host-cluster.sh", Program = "OpenShell.Vm.Bench";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(6);

    private readonly string _root, _state;

    private HostCluster(string folder) => (_root, _state) = (Path.Combine(folder, "root"), Path.Combine(folder, "state"));

    /// <summary>Why this user cannot run what makes a node of a host: the kubelet and containerd of this version know no user namespaces. <see langword="null"/>: it can.</summary>
    public static string? WithoutNode { get; } = Environment.IsPrivilegedProcess ? null : "the kubelet and containerd of this version run as root only; run 'bench/run control-plane' as root";

    /// <summary>Unpacks the root image.</summary>
    /// <param name="image">Its file.</param>
    /// <param name="folder">Where; short, since sockets are made below it.</param>
    public static async Task<HostCluster> UnpackAsync(string image, string folder)
    {
        var cluster = new HostCluster(folder);
        await HostProgram.RunAsync("unsquashfs", ["-force", "-no-progress", "-no-xattrs", "-dest", cluster._root, image], Limit);
        return cluster;
    }

    /// <summary>Starts all of it with nothing on its disk, and ends it when all are healthy.</summary>
    /// <param name="withNode">Also containerd, the kubelet and kube-proxy, which need root.</param>
    /// <returns>Times by service.</returns>
    public async Task<IReadOnlyDictionary<string, ServiceTime>> RunAsync(bool withNode)
    {
        Directory.CreateDirectory(_state);
        try
        {
            var (output, _) = await HostProgram.RunAsync("unshare", Arguments(Environment.IsPrivilegedProcess, withNode, AppContext.BaseDirectory, _root, _state), Limit);
            return ServiceTimes.Read(output);
        }
        finally
        {
            HostFiles.DeleteFolder(_state);
        }
    }

    /// <summary>The command line of unshare(1). Killed, it takes the namespace's first process with it, and that takes all others.</summary>
    internal static IReadOnlyList<string> Arguments(bool privileged, bool withNode, string programs, string root, string state)
    {
        var what = withNode ? HostClusterInside.Node : HostClusterInside.ControlPlane;
        return
        [
            .. privileged ? Array.Empty<string>() : ["--user", "--map-root-user"],
            "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
            "/bin/sh", Path.Combine(programs, Script), root, state, HostClusterInside.Address, what,
            Path.Combine(programs, Program), Inside, root, what,
        ];
    }
}

using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.LoginServices;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Upkeep;

namespace OpenShell.Vm.Uninstalling;

/// <summary>All that this program ever made for a user: found by looking, never by a list that was kept. What others own is only touched where an entry of ours is in it.</summary>
/// <param name="directories">The host's folders.</param>
/// <param name="services">What starts at login.</param>
/// <param name="kubeconfig">The user's own kubeconfig.</param>
public sealed class Inventory(HostDirectories directories, LoginService services, UserKubeconfig kubeconfig)
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    private string KubeFolder => directories.Kube;

    /// <summary>Everything, in the order in which it is removed. A kubeconfig of the user's that cannot be read is told by its fault.</summary>
    /// <exception cref="Faults.FaultException"><c>kubeconfig.unreadable</c>.</exception>
    public IReadOnlyList<Belonging> All() =>
    [
        .. services.Instances().SelectMany(name => services.PathsOf(name).Where(Path.Exists).Select(path => new Belonging($"service at login of {name}", path, 0))),
        .. Names().SelectMany(name => kubeconfig.FilesWith(name).Select(file => new Belonging($"context {Kubeconfig.NameFor(name)}, merged", file, 0))),
        .. kubeconfig.Backups.Select(file => new Belonging("backup of a kubeconfig before a merge", file, HostFiles.AllocatedBytes(file))),
        .. Names().Select(name => (Name: name, Path: Kubeconfig.PathFor(directories, name))).Where(k => Kubeconfig.IsOurs(k.Path, k.Name)).Select(k => new Belonging($"kubeconfig of {k.Name}", k.Path, HostFiles.AllocatedBytes(k.Path))),
        .. Names().Select(name => new GatewayRegistration(directories, name)).Where(r => r.IsThere).Select(r => new Belonging($"certificates of {r.Name}", r.Folder, HostFiles.FolderSize(r.Folder))),
        .. Folders(InstanceFiles.InstancesFolder(directories)).Select(folder => new Belonging($"instance {Path.GetFileName(folder)}", folder, Allocated(folder))),
        .. Memories().Select(path => new Belonging("memory of a golden image in the making", path, HostFiles.AllocatedBytes(path))),
        .. new[] { ("data folder", directories.Data), ("sockets", directories.Runtime), ("image cache", directories.Cache) }
            .Where(f => Directory.Exists(f.Item2)).Select(f => new Belonging(f.Item1, f.Item2, f.Item2 == directories.Cache ? Allocated(f.Item2) : 0)),
    ];

    /// <summary>The processes that hold an instance, a program's machine, or a golden image that is being baked now.</summary>
    public IReadOnlyList<Holding> Running() =>
    [
        .. HeldIn(directories),
        .. Folders(directories.Runtime).Select(folder => (Name: Path.GetFileName(folder), Owner: EphemeralFolders.OwnerOf(Path.GetFileName(folder))))
            .Where(r => r.Owner is not null && ProcessIdentities.IsAlive(r.Owner)).Select(r => new Holding(r.Name, r.Owner!, IsInstance: false)),
        .. GoldenBaker.BuildingOn(directories).SelectMany(bake => HeldIn(bake.Directories).Select(held => held with { Name = bake.Name, IsInstance = false })),
    ];

    /// <summary>
    /// Folders of sockets on which somebody listens, and which are of no instance of this data folder nor of a bake or a program of this user: an instance that was started with another one
    /// (<c>XDG_DATA_HOME</c>). It uses the same image cache; who it is, only its own environment tells.
    /// </summary>
    public IReadOnlyList<string> UsedByOthers() => [.. Folders(directories.Runtime).Where(folder => !IsKnown(folder) && ListeningSockets.IsAnyIn(folder))];

    private bool IsKnown(string folder)
    {
        var name = Path.GetFileName(folder);
        if (EphemeralFolders.OwnerOf(name) is not null)
            return true;
        var end = name.LastIndexOf('-');
        return end > 0 && InstanceName.TryParse(name[..end], out var instance, out _)
            && GoldenBaker.BuildingOn(directories).Select(bake => bake.Directories).Prepend(directories).Any(owner => InstanceFiles.RunFolder(owner, instance!) == folder);
    }

    private static IEnumerable<Holding> HeldIn(HostDirectories directories)
    {
        foreach (var name in new InstanceStore(directories).Names())
        {
            var files = InstanceFiles.Of(directories, InstanceName.Parse(name));
            if (InstanceLock.HolderOf(files) is { } holder)
                yield return new Holding(name, holder, InstanceLock.SupervisorOf(files) == holder);
        }
    }

    /// <summary>Removes everything. Nothing of it runs: the caller has seen to that. Sockets of others that run stay.</summary>
    public void Remove()
    {
        var others = UsedByOthers();
        foreach (var name in services.Instances())
            services.Remove(name);
        foreach (var name in Names())
        {
            kubeconfig.Unmerge(name);
            Kubeconfig.Remove(Kubeconfig.PathFor(directories, name), name);
            new GatewayRegistration(directories, name).Remove();
        }

        foreach (var file in kubeconfig.Backups.Concat(Memories()).ToArray())
            File.Delete(file);
        foreach (var folder in Folders(directories.Runtime).Except(others).Append(directories.Data).Append(directories.Cache).ToArray())
            HostFiles.DeleteFolder(folder);
        if (others.Count == 0)
            HostFiles.DeleteFolder(directories.Runtime);
    }

    /// <summary>Ends what still holds something, in order if it listens, else not.</summary>
    public static async Task EndAsync(IReadOnlyList<Holding> running, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(running);
        var processes = running.Select(r => r.Process).Distinct().ToArray();
        foreach (var process in processes)
            ProcessIdentities.Signal(process, Signals.Terminate);
        if (await InstanceRemains.GoneAsync(processes, EndLimit, cancellationToken).ConfigureAwait(false))
            return;
        foreach (var process in processes)
            ProcessIdentities.Signal(process, Signals.Kill);
        await InstanceRemains.GoneAsync(processes, EndLimit, cancellationToken).ConfigureAwait(false);
    }

    private IEnumerable<string> Memories() => new MemoryPlace(directories.Cache).Existing().Select(memory => memory.Path);

    /// <summary>Every instance of which something is there, its folder or not.</summary>
    private IReadOnlyList<string> Names()
    {
        const string Kubeconfigs = "gateway-";
        var registered = GatewayRegistration.NameFor("");
        return
        [
            .. Folders(InstanceFiles.InstancesFolder(directories)).Select(f => Path.GetFileName(f))
                .Concat(Folders(Path.Combine(directories.OpenShellConfig, "gateways")).Select(f => Path.GetFileName(f)).Where(f => f.StartsWith(registered, StringComparison.Ordinal)).Select(f => f[registered.Length..]))
                .Concat(Directory.Exists(KubeFolder) ? Directory.EnumerateFiles(KubeFolder, Kubeconfigs + "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)[Kubeconfigs.Length..]) : [])
                .Append(InstanceName.Default)
                .Where(name => InstanceName.TryParse(name, out _, out _)).Distinct().Order(StringComparer.Ordinal),
        ];
    }

    private static IEnumerable<string> Folders(string folder) => Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal) : [];

    private static long Allocated(string folder) => Directory
        .EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true })
        .Sum(HostFiles.AllocatedBytes);
}

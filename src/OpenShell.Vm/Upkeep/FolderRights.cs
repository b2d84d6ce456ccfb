using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Upkeep;

/// <summary>Looks at owners and modes of what this program keeps. A start as root in a user's home leaves files that the user cannot use any more; a restored backup, or a careless chmod, leaves keys that others can read.</summary>
public sealed class FolderRights(HostDirectories directories)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = (UnixFileMode)0x3F; // rwxrwx of group and others

    /// <summary>How far below the cache and the data folder is looked: <c>artifacts/KIND/KEY</c>, <c>instances/NAME</c>.</summary>
    private const int Depth = 3;

    private readonly InstanceStore _store = new(directories);

    /// <summary>All that is wrong. Changes nothing.</summary>
    public IReadOnlyList<WrongRights> Find() =>
    [
        .. new[] { directories.Runtime, directories.Data, directories.Cache, directories.OpenShellConfig, directories.Kube }.Where(Directory.Exists).Select(Unusable).OfType<WrongRights>(),
        .. Foreign(directories.Data),
        .. Foreign(directories.Cache),
        .. Open(directories.Runtime, Private, running: false),
        .. _store.Names().SelectMany(OfInstance),
    ];

    /// <summary>Gives it the mode that it should have.</summary>
    /// <exception cref="IOException">Also <see cref="UnauthorizedAccessException"/>: it could not be changed.</exception>
    public static void Mend(WrongRights rights)
    {
        ArgumentNullException.ThrowIfNull(rights);
        if (rights.Mode is { } mode && new FileInfo(rights.Path).LinkTarget is null)
            File.SetUnixFileMode(rights.Path, mode);
    }

    /// <summary>A folder that its owner has shut to himself.</summary>
    private static WrongRights? Unusable(string folder)
    {
        var mode = File.GetUnixFileMode(folder);
        return (mode & Private) == Private
            ? null
            : IsOwn(folder)
                ? new WrongRights(folder, $"has the mode {Octal(mode)}, with which not even its owner can use it", mode | Private, null, Prevents: Interop.Libc.EffectiveUserId() != 0)
                : null;
    }

    private static IEnumerable<WrongRights> Foreign(string folder)
    {
        if (!OperatingSystem.IsLinux() || Interop.Libc.EffectiveUserId() == 0 || !Directory.Exists(folder))
            yield break;
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = Depth, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        var foreign = Directory.EnumerateFileSystemEntries(folder, "*", options).Prepend(folder).FirstOrDefault(entry => !IsOwn(entry));
        if (foreign is not null)
        {
            yield return new WrongRights(
                foreign,
                $"belongs to another user (uid {PrivateFolder.OwnerOf(foreign)}), as after a start by root",
                null,
                $"Give it back to yourself: sudo chown -R {Environment.UserName}: {folder}",
                Prevents: true);
        }
    }

    private IEnumerable<WrongRights> OfInstance(string name)
    {
        InstanceFiles files;
        try
        {
            files = _store.Files(InstanceName.Parse(name));
        }
        catch (FaultException)
        {
            return [];
        }

        var running = InstanceLock.HolderOf(files) is not null;
        return
        [
            .. Open(files.Root, Private, running),
            .. new[] { files.Config, files.StateDisk, files.RawStateDisk, files.DeliveryDisk }.SelectMany(path => Open(path, PrivateFile, running)),
            .. Open(Kubeconfig.PathFor(directories, name), PrivateFile, running),
            .. Open(Path.Combine(new GatewayRegistration(directories, name).MtlsFolder, "tls.key"), PrivateFile, running),
        ];
    }

    /// <summary>Something that is for its owner alone, and that others can get at.</summary>
    private static IEnumerable<WrongRights> Open(string path, UnixFileMode wanted, bool running)
    {
        if (!Path.Exists(path) || new FileInfo(path).LinkTarget is not null || !IsOwn(path))
            yield break;
        var mode = File.GetUnixFileMode(path);
        if ((mode & Others) == 0)
            yield break;
        yield return running
            ? new WrongRights(path, $"can be used by others (mode {Octal(mode)})", null, $"Its instance runs, so it is left alone. You can do it: chmod {Octal(wanted)} {path}", Prevents: false)
            : new WrongRights(path, $"can be used by others (mode {Octal(mode)})", wanted, null, Prevents: false);
    }

    private static bool IsOwn(string path) => PrivateFolder.OwnerOf(path) is not { } owner || owner == Interop.Libc.EffectiveUserId();

    /// <summary>A mode as chmod(1) takes it.</summary>
    public static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');
}

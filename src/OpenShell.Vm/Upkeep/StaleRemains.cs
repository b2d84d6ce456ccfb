using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Upkeep;

/// <summary>
/// Finds what killed processes left, and removes it. Something is only stale when all that could own it is known and has ended: owners are known by process id and start time, and no process of this
/// host listens on a socket in it. Where that cannot be told, it is left alone. The next start would tidy up most of it as well; this is for who wants to see it gone, or to know.
/// </summary>
public sealed class StaleRemains(HostDirectories directories)
{
    private readonly InstanceStore _store = new(directories);

    /// <summary>All that there is now. Changes nothing.</summary>
    public IReadOnlyList<StaleRemain> Find() =>
    [
        .. Folders(directories.Runtime).Select(ProgramFolder).OfType<StaleRemain>(),
        .. Folders(InstanceFiles.InstancesFolder(directories)).Select(AsideFolder).OfType<StaleRemain>(),
        .. _store.Names().SelectMany(OfInstance),
        .. Folders(directories.Runtime).Select(SocketsOfNobody).OfType<StaleRemain>(),
    ];

    /// <summary>Removes it, if it is still what it was.</summary>
    /// <returns>Whether it was; otherwise somebody has taken it meanwhile, and nothing was changed.</returns>
    public bool Remove(StaleRemain remain)
    {
        ArgumentNullException.ThrowIfNull(remain);
        switch (remain.Kind)
        {
            case RemainKind.ProgramFolder when ProgramFolder(remain.Path) is not null:
            case RemainKind.AsideFolder when AsideFolder(remain.Path) is not null:
            case RemainKind.Sockets when remain.Instance is null && SocketsOfNobody(remain.Path) is not null:
                HostFiles.DeleteFolder(remain.Path);
                return true;
            case RemainKind.Sockets or RemainKind.Lock when remain.Instance is { } name:
                return RemoveOfInstance(name, remain.Kind);
            default:
                return false;
        }
    }

    private StaleRemain? ProgramFolder(string folder) =>
        EphemeralFolders.OwnerOf(Path.GetFileName(folder)) is { } owner && !ProcessIdentities.IsAlive(owner) && Directory.Exists(folder)
        && NobodyLives(() => InstanceStore.ReadProcesses(Path.Combine(folder, InstanceFiles.ProcessesName))) && !ListeningSockets.IsAnyIn(folder)
            ? new StaleRemain(RemainKind.ProgramFolder, folder, $"its process {owner.Pid} has ended")
            : null;

    private static StaleRemain? AsideFolder(string folder) =>
        AsideFolders.OwnerOf(Path.GetFileName(folder)) is { } owner && !ProcessIdentities.IsAlive(owner) && Directory.Exists(folder)
            ? new StaleRemain(RemainKind.AsideFolder, folder, $"process {owner.Pid}, which was making or deleting it, has ended")
            : null;

    private IEnumerable<StaleRemain> OfInstance(string name)
    {
        if (FilesOf(name) is not { } files || !IsAtRest(files))
            yield break;
        if (Directory.Exists(files.Run) && !ListeningSockets.IsAnyIn(files.Run))
            yield return new StaleRemain(RemainKind.Sockets, files.Run, $"nothing of '{name}' runs", name);
        if (InstanceLock.NamesHolder(files))
            yield return new StaleRemain(RemainKind.Lock, files.Lock, $"the process that it names has ended, and nothing of '{name}' runs", name);
    }

    /// <summary>The sockets of an instance of this data folder that is not there any more. Of another data folder's nothing is known.</summary>
    private StaleRemain? SocketsOfNobody(string folder)
    {
        var end = Path.GetFileName(folder).LastIndexOf('-');
        return end > 0 && FilesOf(Path.GetFileName(folder)[..end]) is { } files && files.Run == folder && !Directory.Exists(files.Root) && Directory.Exists(folder) && !ListeningSockets.IsAnyIn(folder)
            ? new StaleRemain(RemainKind.Sockets, folder, "its instance is not there any more, and nobody listens there")
            : null;
    }

    /// <summary>Under the instance's lock: nobody can start it meanwhile.</summary>
    private bool RemoveOfInstance(string name, RemainKind kind)
    {
        if (FilesOf(name) is not { } files || !IsAtRest(files))
            return false;
        try
        {
            // Giving it back takes the name out of the file.
            using var held = InstanceLock.Acquire(files, name, "doctor --fix");
            if (kind == RemainKind.Lock)
                return true;
            if (!NobodyLives(() => InstanceStore.ReadStatus(files)?.Processes.Values) || ListeningSockets.IsAnyIn(files.Run))
                return false;
            InstanceRemains.RemoveRunFolder(files);
            return true;
        }
        catch (FaultException e) when (e.Faults[0].Code is InstanceLock.RunningCode or InstanceLock.BusyCode)
        {
            return false;
        }
    }

    private static bool IsAtRest(InstanceFiles files) => InstanceLock.HolderOf(files) is null && NobodyLives(() => InstanceStore.ReadStatus(files)?.Processes.Values);

    /// <summary>Whether none of the recorded processes runs; what cannot be read may name one.</summary>
    private static bool NobodyLives(Func<IEnumerable<ProcessIdentity>?> recorded)
    {
        try
        {
            return recorded()?.Any(ProcessIdentities.IsAlive) is not true;
        }
        catch (FaultException)
        {
            return false;
        }
    }

    private InstanceFiles? FilesOf(string name)
    {
        try
        {
            return InstanceName.TryParse(name, out var parsed, out _) ? _store.Files(parsed!) : null;
        }
        catch (FaultException)
        {
            // Its sockets would have paths that are too long: it never had any.
            return null;
        }
    }

    private static IEnumerable<string> Folders(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}

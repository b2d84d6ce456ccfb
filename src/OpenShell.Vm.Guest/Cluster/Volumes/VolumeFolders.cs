using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>The volumes' folders on the state disk, by volumes' names.</summary>
/// <param name="remove">Deletes a folder with all that is in it; follows no link, however deep pods have made it.</param>
/// <param name="folder">Where they are.</param>
internal sealed class VolumeFolders(Func<string, Task> remove, string folder = VolumeLayout.Folder)
{
    /// <summary>Whether a volume has its folder.</summary>
    public bool Has(string name) => Directory.Exists(PathOf(name));

    /// <summary>Makes a volume's folder; there may be one.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Make(string name)
    {
        Mounter.MakeFolders(folder);
        // Where only root comes by: the folders in it are for pods of any user, through their mounts and in no other way.
        _ = Linux.ChangeMode(folder, 0x1C0);
        var path = PathOf(name);
        if (Linux.MakeDirectory(path, 0x1FF) != 0 && Errno.Last != Errno.Exists)
            throw new IOException($"{path} could not be made: {Errno.LastText}.");
        // 0777, whatever the mask: a pod may run as any user.
        if (Linux.ChangeMode(path, 0x1FF) != 0)
            throw new IOException($"{path} could not be opened to all users: {Errno.LastText}.");
    }

    /// <summary>Deletes a volume's folder with all that is in it; there may be none.</summary>
    /// <exception cref="IOException">The disk refuses; part of it may be gone.</exception>
    public Task DeleteAsync(string name) => remove(PathOf(name));

    private string PathOf(string name) =>
        VolumeLayout.IsName(name) ? Path.Combine(folder, name) : throw new ArgumentException($"'{name}' is no volume's name.", nameof(name));
}

using System.Globalization;
using System.Runtime.InteropServices;

namespace OpenShell.Vm.Pki;

/// <summary>
/// The files with which a process serves over TLS, replaced as a set: a certificate, its key, the authority of its clients, and a seed. They lie as the kubelet lays a Secret:
/// <c>tls.crt -> ..data/tls.crt</c>, <c>..data -> ..VERSION</c>, and a change is another <c>..data</c> renamed over the old. So who reads them again when <see cref="Version"/> has changed never misses one.
/// </summary>
internal static partial class ServingFolder
{
    /// <summary>The files.</summary>
    public const string Certificate = "tls.crt", Key = "tls.key", Authority = "ca.crt", Seed = "seed";

    private const string Data = "..data", VersionPrefix = "..v";

    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.GroupRead;

    /// <summary>Which set is in force; <see langword="null"/>: there is none, or the files lie otherwise.</summary>
    /// <param name="folder">The folder.</param>
    public static string? Version(string folder) => new FileInfo(Path.Combine(folder, Data)).LinkTarget;

    /// <summary>Puts a set in force, in one step. The set of before stays for those that are reading it, until <see cref="RemoveOld"/> or the next.</summary>
    /// <param name="folder">Made if missing.</param>
    /// <param name="files">By name, all of them.</param>
    /// <param name="group">A group that may read them besides their owner; 0: none.</param>
    public static void Replace(string folder, IReadOnlyDictionary<string, string> files, int group = 0)
    {
        RemoveOld(folder);
        var access = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | (group == 0 ? 0 : UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        MakeFolder(folder, access, group);
        var version = VersionPrefix + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
        var aside = Path.Combine(folder, version);
        MakeFolder(aside, access, group);
        foreach (var (name, text) in files)
            Write(Path.Combine(aside, name), text, group);
        var link = Path.Combine(folder, Data + ".new");
        File.Delete(link);
        File.CreateSymbolicLink(link, version);
        // .NET's own move takes a link to a folder for no file.
        if (Rename(link, Path.Combine(folder, Data)) != 0)
            throw new IOException($"{folder}: {Marshal.GetLastPInvokeErrorMessage()}");
        foreach (var name in files.Keys)
        {
            var visible = Path.Combine(folder, name);
            if (new FileInfo(visible).LinkTarget is null)
                File.CreateSymbolicLink(visible, Path.Combine(Data, name));
        }
    }

    /// <summary>Removes sets that are not in force.</summary>
    public static void RemoveOld(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        var current = Version(folder);
        foreach (var old in Directory.EnumerateDirectories(folder, VersionPrefix + "*").Where(f => Path.GetFileName(f) != current).ToArray())
            Directory.Delete(old, recursive: true);
    }

    private static void MakeFolder(string folder, UnixFileMode access, int group)
    {
        if (Directory.Exists(folder))
            return;
        Directory.CreateDirectory(folder, access);
        // Whatever the creation mask took away.
        File.SetUnixFileMode(folder, access);
        GiveTo(folder, group);
    }

    private static void Write(string file, string text, int group)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerAndGroup };
        using (var stream = new StreamWriter(new FileStream(file, options)))
            stream.Write(text);
        GiveTo(file, group);
    }

    private static void GiveTo(string path, int group)
    {
        if (group != 0 && ChangeOwner(path, -1, group) != 0)
            throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    // For guests and tests: Linux only. Safe: strings are only read during the calls.
    [LibraryImport("libc.so.6", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc.so.6", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);
}

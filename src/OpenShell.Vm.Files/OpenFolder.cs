using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Files.Native;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Files;

/// <summary>
/// A folder by its descriptor. What is done in it is done in this folder, wherever its path may lead by then, and names are looked up without following links: so
/// nobody who can change the tree meanwhile can lead a copy elsewhere.
/// </summary>
internal sealed unsafe class OpenFolder : IDisposable
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly SafeFileHandle _handle;

    private OpenFolder(int descriptor, string path)
    {
        _handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Path = path;
    }

    /// <summary>For messages.</summary>
    internal string Path { get; }

    private int Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>Opens a folder that the user named; links in its path are followed, since the user wrote them.</summary>
    internal static OpenFolder Open(string path)
    {
        var descriptor = Posix.OpenAt(Posix.CurrentFolder, path, Posix.ReadOnly | Posix.Folder | Posix.CloseOnExec, 0);
        return descriptor >= 0 ? new OpenFolder(descriptor, path) : throw TreeFailure.Of(Marshal.GetLastPInvokeError(), path, "it cannot be opened as a folder");
    }

    /// <summary>What a path of the user's is; <see langword="null"/>: nothing is there.</summary>
    internal static FileFacts? Stat(string path, bool follow)
    {
        var info = stackalloc byte[FileFacts.StructureSize];
        if (Posix.StatAt(Posix.CurrentFolder, path, follow ? 0 : Posix.NoFollowAt, Posix.BasicStatistics, info) == 0)
            return FileFacts.Read(info);
        var error = Marshal.GetLastPInvokeError();
        return error is Posix.NoEntry ? null : throw TreeFailure.Of(error, path, "it cannot be looked at");
    }

    /// <summary>A folder in this one; <see langword="null"/>: there is nothing of that name.</summary>
    internal OpenFolder? TryOpen(string name)
    {
        var descriptor = Posix.OpenAt(Descriptor, name, Posix.ReadOnly | Posix.Folder | Posix.NoFollow | Posix.CloseOnExec, 0);
        if (descriptor >= 0)
            return new OpenFolder(descriptor, PathOf(name));
        var error = Marshal.GetLastPInvokeError();
        if (error == Posix.NoEntry)
            return null;

        // With both flags Linux says of a link only that it is no folder.
        var isLink = error == Posix.NotFolder && StatOf(name) is { IsLink: true };
        throw Failed(isLink ? Posix.TooManyLinks : error == Posix.NotFolder ? Posix.AlreadyThere : error, name, "it cannot be opened as a folder");
    }

    /// <summary>Makes a folder; false: something of that name is there.</summary>
    internal bool MakeFolder(string name, uint mode)
    {
        if (Posix.MakeFolderAt(Descriptor, name, mode) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error == Posix.AlreadyThere ? false : throw Failed(error, name, "the folder cannot be made");
    }

    /// <summary>A new file, for writing; nothing of that name may be there.</summary>
    internal SafeFileHandle CreateFile(string name)
    {
        var descriptor = Posix.OpenAt(Descriptor, name, Posix.WriteOnly | Posix.Create | Posix.Exclusive | Posix.NoFollow | Posix.CloseOnExec, 0x180);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed(Marshal.GetLastPInvokeError(), name, "the file cannot be made");
    }

    /// <summary>A regular file that is there, for reading. Not a FIFO or a device that somebody put in its place: those are neither waited for nor read.</summary>
    internal SafeFileHandle OpenFile(string name) => OpenFile(Descriptor, name, PathOf(name), Posix.NoFollow);

    /// <summary>As <see cref="OpenFile(string)"/>, by a path of the user's.</summary>
    internal static SafeFileHandle OpenFileOf(string path, bool follow) => OpenFile(Posix.CurrentFolder, path, path, follow ? 0 : Posix.NoFollow);

    private static SafeFileHandle OpenFile(int folder, string name, string path, int flags)
    {
        var descriptor = Posix.OpenAt(folder, name, Posix.ReadOnly | Posix.NonBlocking | Posix.NoTerminal | Posix.CloseOnExec | flags, 0);
        if (descriptor < 0)
            throw TreeFailure.Of(Marshal.GetLastPInvokeError(), path, "it cannot be opened");
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            return StatOf(descriptor, path).IsFile ? handle : throw new MuxStreamException(ProtocolCode.Denied, $"{path}: it is not a regular file any more");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>What an open file or folder is.</summary>
    internal static FileFacts StatOf(SafeFileHandle handle, string path) => StatOf((int)handle.DangerousGetHandle(), path);

    /// <summary>What this folder is.</summary>
    internal FileFacts Facts => StatOf(Descriptor, Path);

    private static FileFacts StatOf(int descriptor, string path)
    {
        var info = stackalloc byte[FileFacts.StructureSize];
        return Posix.StatAt(descriptor, "", Posix.EmptyPath, Posix.BasicStatistics, info) == 0
            ? FileFacts.Read(info)
            : throw TreeFailure.Of(Marshal.GetLastPInvokeError(), path, "it cannot be looked at");
    }

    /// <summary>What a name in this folder is; <see langword="null"/>: it has gone.</summary>
    internal FileFacts? StatOf(string name)
    {
        var info = stackalloc byte[FileFacts.StructureSize];
        if (Posix.StatAt(Descriptor, name, Posix.NoFollowAt, Posix.BasicStatistics, info) == 0)
            return FileFacts.Read(info);
        var error = Marshal.GetLastPInvokeError();
        return error == Posix.NoEntry ? null : throw Failed(error, name, "it cannot be looked at");
    }

    /// <summary>The text of a link.</summary>
    internal string ReadLink(string name) => ReadLink(Descriptor, name, PathOf(name));

    /// <summary>The text of a link that the user named.</summary>
    internal static string ReadLinkOf(string path) => ReadLink(Posix.CurrentFolder, path, path);

    private static string ReadLink(int folder, string name, string path)
    {
        var buffer = stackalloc byte[TreeLimits.MaxPath + 1];
        var length = Posix.ReadLinkAt(folder, name, buffer, TreeLimits.MaxPath + 1);
        return length < 0
            ? throw TreeFailure.Of(Marshal.GetLastPInvokeError(), path, "the link cannot be read")
            : Text(new ReadOnlySpan<byte>(buffer, (int)length), path);
    }

    /// <summary>Makes a link.</summary>
    internal void MakeLink(string name, string target)
    {
        if (Posix.LinkAt(target, Descriptor, name) != 0)
            throw Failed(Marshal.GetLastPInvokeError(), name, "the link cannot be made");
    }

    /// <summary>Renames within this folder, over a file or link that is there.</summary>
    internal void Rename(string from, string to)
    {
        if (Posix.RenameAt(Descriptor, from, Descriptor, to) != 0)
            throw Failed(Marshal.GetLastPInvokeError(), to, "it cannot be put in its place");
    }

    /// <summary>Sets permissions, and the time of the last change if there is one.</summary>
    internal void Finish(int? mode, long? modified) => Finish(_handle, mode, modified, Path);

    /// <inheritdoc cref="Finish(int?, long?)"/>
    internal static void Finish(SafeFileHandle handle, int? mode, long? modified, string path)
    {
        var descriptor = (int)handle.DangerousGetHandle();
        if (mode is { } bits && Posix.ChangeMode(descriptor, (uint)bits & 0x1FF) != 0)
            throw TreeFailure.Of(Marshal.GetLastPInvokeError(), path, "its permissions cannot be set");
        if (modified is not { } time)
            return;
        var times = stackalloc Posix.TimeSpec[2];
        Fill(times, time);
        _ = Posix.SetTimes(descriptor, times);
    }

    /// <summary>Sets the time of a link. Not every file system keeps one; nothing depends on it.</summary>
    internal void SetLinkTime(string name, long modified)
    {
        var times = stackalloc Posix.TimeSpec[2];
        Fill(times, modified);
        _ = Posix.SetTimesAt(Descriptor, name, times, Posix.NoFollowAt);
    }

    /// <summary>The names in this folder, in the order of their bytes.</summary>
    internal IReadOnlyList<string> Names()
    {
        // The stream takes its descriptor along when it is closed.
        var stream = Posix.OpenFolderStream(Posix.OpenAt(Descriptor, ".", Posix.ReadOnly | Posix.Folder | Posix.CloseOnExec, 0));
        if (stream == 0)
            throw TreeFailure.Of(Marshal.GetLastPInvokeError(), Path, "the folder cannot be read");
        try
        {
            var names = new List<string>();
            for (byte* entry; (entry = Posix.ReadFolder(stream)) != null;)
            {
                // struct dirent of glibc on 64-bit Linux: inode 8, offset 8, length 2, type 1, then the name.
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + 19);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                    names.Add(Text(name, Path));
            }

            names.Sort(StringComparer.Ordinal);
            return names;
        }
        finally
        {
            _ = Posix.CloseFolderStream(stream);
        }
    }

    /// <summary>Removes a file or link, if it is there.</summary>
    internal void RemoveFile(string name) => _ = Posix.RemoveAt(Descriptor, name, 0);

    /// <summary>Removes a folder with all that is in it, as far as that can be had; links are removed, not followed.</summary>
    internal void RemoveTree(string name)
    {
        try
        {
            using (var folder = TryOpen(name))
            {
                foreach (var inner in folder?.Names() ?? [])
                {
                    if (folder!.StatOf(inner) is { IsFolder: true })
                        folder.RemoveTree(inner);
                    else
                        folder.RemoveFile(inner);
                }
            }

            _ = Posix.RemoveAt(Descriptor, name, Posix.RemoveFolder);
        }
        catch (MuxStreamException)
        {
            // What is left has no name that anybody asked for.
        }
    }

    public void Dispose() => _handle.Dispose();

    private string PathOf(string name) => $"{Path.TrimEnd('/')}/{name}";

    private MuxStreamException Failed(int error, string name, string doing) => TreeFailure.Of(error, PathOf(name), doing);

    private static void Fill(Posix.TimeSpec* times, long modified)
    {
        const long Second = 1_000_000_000;
        times[0] = new Posix.TimeSpec { Nanoseconds = Posix.TimeSpec.Now };
        times[1] = new Posix.TimeSpec { Seconds = Math.DivRem(modified, Second, out var rest) - (rest < 0 ? 1 : 0), Nanoseconds = rest < 0 ? rest + Second : rest };
    }

    private static string Text(ReadOnlySpan<byte> bytes, string path)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new MuxStreamException(ProtocolCode.Failed, $"{path}: a name or link, '{Encoding.UTF8.GetString(bytes)}', is not UTF-8 and cannot be copied");
        }
    }
}

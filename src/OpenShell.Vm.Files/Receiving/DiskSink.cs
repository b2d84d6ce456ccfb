using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Files.Native;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Files.Receiving;

/// <summary>
/// Unpacks a tree on this machine. Every step is taken from the descriptor of an open folder and with a single name, and no link is followed below the destination, whoever made it. Files are written
/// beside their place and renamed when they are complete; a root folder that was not there before gets its name last. All belongs to who unpacks.
/// </summary>
public sealed class DiskSink(TreeDestination destination) : ITreeSink
{
    /// <summary>Begins the names of what is not complete.</summary>
    public const string AsidePrefix = ".openshell-";

    private const uint WhileOpen = 0x1C0; // rwx------
    private const int Implied = 0x1ED; // rwxr-xr-x

    private readonly Stack<Level> _levels = new();
    private readonly string _aside = $"{AsidePrefix}{Guid.NewGuid():N}";
    private OpenFolder? _parent;
    private string? _rootName;
    private bool _staged;
    private bool _isRoot;

    private SafeFileHandle? _file;
    private TreeEntry? _entry;
    private string _fileName = "";

    /// <inheritdoc/>
    public ValueTask EnterFolderAsync(string? name, TreeEntry entry, CancellationToken cancellationToken)
    {
        if (name is null)
            EnterRoot(entry);
        else
            Enter(Here, name, entry);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask LeaveFolderAsync(CancellationToken cancellationToken)
    {
        var level = _levels.Pop();
        using (level.Folder)
        {
            // Now, since what came into it has changed its time, and a folder may be one that nobody may write to.
            if (level.Entry is { } entry)
                level.Folder.Finish(entry.Mode, entry.Modified);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask LinkAsync(string? name, TreeEntry entry, CancellationToken cancellationToken)
    {
        var folder = FolderFor(ref name, entry);
        folder.MakeLink(_aside, entry.Target!);
        _fileName = _aside;
        if (entry.Modified is { } modified)
            folder.SetLinkTime(_aside, modified);
        Put(folder, name!);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask BeginFileAsync(string? name, TreeEntry entry, CancellationToken cancellationToken)
    {
        _isRoot = name is null;
        var folder = FolderFor(ref name, entry);
        _file = folder.CreateFile(_aside);
        _fileName = name!;
        _entry = entry;
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Try(() => RandomAccess.Write(_file!, data.Span, offset));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask EndFileAsync(long length, CancellationToken cancellationToken)
    {
        var folder = FolderOfFile;
        using (var file = _file!)
        {
            // What was not written is a hole.
            Try(() => RandomAccess.SetLength(file, length));
            OpenFolder.Finish(file, _entry!.Mode ?? 0x1A4, _entry.Modified, _fileName);
            if (_isRoot)
                Try(() => RandomAccess.FlushToDisk(file));
        }

        Put(folder, _fileName);
        _file = null;
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        if (_staged)
            _parent!.Rename(_aside, _rootName!);
        _staged = false;
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (_file is { } file)
        {
            file.Dispose();
            FolderOfFile.RemoveFile(_aside);
        }

        while (_levels.TryPop(out var level))
            level.Folder.Dispose();
        if (_staged)
            _parent!.RemoveTree(_aside);
        _parent?.Dispose();
        return ValueTask.CompletedTask;
    }

    private OpenFolder Here => _levels.Peek().Folder;

    private OpenFolder FolderOfFile => _isRoot ? _parent! : Here;

    private void EnterRoot(TreeEntry entry)
    {
        (_parent, _rootName) = destination.Resolve(TreeEntryKind.Folder);
        if (_rootName is null)
        {
            // The user's own folder takes what is in the root: it stays as it is.
            _levels.Push(new Level(_parent, null));
            _parent = null;
        }
        else if (_parent.TryOpen(_rootName) is { } there)
        {
            _levels.Push(new Level(there, entry));
        }
        else
        {
            _staged = _parent.MakeFolder(_aside, WhileOpen);
            _levels.Push(new Level(_parent.TryOpen(_aside)!, entry with { Mode = entry.Mode ?? Implied }));
        }
    }

    private void Enter(OpenFolder here, string name, TreeEntry entry)
    {
        var made = here.MakeFolder(name, WhileOpen);
        var folder = here.TryOpen(name) ?? throw TreeFailure.Of(Posix.NoEntry, $"{here.Path}/{name}", "it has gone while it was copied");
        var changed = made ? entry with { Mode = entry.Mode ?? Implied } : entry.Mode is null ? null : entry;
        _levels.Push(new Level(folder, changed));
    }

    /// <summary>The folder of a file or link, and its name there when it is the root.</summary>
    private OpenFolder FolderFor(ref string? name, TreeEntry entry)
    {
        if (name is not null)
            return Here;
        (_parent, name) = destination.Resolve(entry.Kind);
        return _parent;
    }

    private void Put(OpenFolder folder, string name)
    {
        try
        {
            folder.Rename(_aside, name);
        }
        catch
        {
            folder.RemoveFile(_aside);
            _file = null;
            throw;
        }
    }

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            // On Unix .NET hands the error number on.
            var error = e is IOException { HResult: > 0 } known ? known.HResult : Posix.TooLarge;
            throw TreeFailure.Of(error, $"{FolderOfFile.Path}/{_fileName}", "it cannot be written");
        }
    }

    /// <summary>A folder that is open, and how it is to be left.</summary>
    private sealed record Level(OpenFolder Folder, TreeEntry? Entry);
}

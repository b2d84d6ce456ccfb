using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Files.Receiving;

/// <summary>
/// Takes a tree that <see cref="TreeReader"/> has checked: names are single, harmless parts of a path, folders are entered and left in order. Disposing it before
/// <see cref="CommitAsync"/> undoes what is not complete.
/// </summary>
public interface ITreeSink : IAsyncDisposable
{
    /// <summary>Enters a folder; the root has no name.</summary>
    ValueTask EnterFolderAsync(string? name, TreeEntry entry, CancellationToken cancellationToken);

    /// <summary>Leaves the folder entered last.</summary>
    ValueTask LeaveFolderAsync(CancellationToken cancellationToken);

    /// <summary>A link; without a name it is all there is.</summary>
    ValueTask LinkAsync(string? name, TreeEntry entry, CancellationToken cancellationToken);

    /// <summary>Begins a file; without a name it is all there is.</summary>
    ValueTask BeginFileAsync(string? name, TreeEntry entry, CancellationToken cancellationToken);

    /// <summary>Data of the file, at rising offsets.</summary>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Ends the file, whose data was as its sender had read it.</summary>
    ValueTask EndFileAsync(long length, CancellationToken cancellationToken);

    /// <summary>All of it has come.</summary>
    ValueTask CommitAsync(CancellationToken cancellationToken);
}

using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Snapshots;

/// <summary>The host's cache of files: what is in it, a machine need not wait for.</summary>
internal static class PageCache
{
    /// <summary>Reads files into it, holes left out as far as reading them costs nothing.</summary>
    internal static async Task ReadAheadAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 20];
        foreach (var path in paths.Where(File.Exists))
        {
            using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
            for (long at = 0; await RandomAccess.ReadAsync(file, buffer, at, cancellationToken).ConfigureAwait(false) is > 0 and var read; at += read)
            {
            }
        }
    }
}

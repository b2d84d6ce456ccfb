using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Snapshots;

/// <summary>The host's cache of files: what is in it, a machine need not wait for.</summary>
internal static class PageCache
{
    private const int Chunk = 1 << 20;

    /// <summary>So many places of a file are looked at; reading what is there already would take a processor from the machine that is being started.</summary>
    private const int Samples = 64;

    private const double Warm = 0.9;

    private const int ProtectionRead = 1, MapShared = 1; // PROT_READ, MAP_SHARED

    private const nint MapFailed = -1;

    /// <summary>Reads files into it, holes left out, unless most of what is looked at is there.</summary>
    internal static async Task EnsureAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        foreach (var path in paths.Where(path => File.Exists(path) && ShareOf(path) < Warm))
            await ReadAheadAsync([path], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads files into it, holes left out.</summary>
    internal static async Task ReadAheadAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        var buffer = new byte[Chunk];
        foreach (var path in paths.Where(File.Exists))
        {
            using var file = File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
            for (var at = Libc.NextData(file, 0); at != long.MaxValue; at = Libc.NextData(file, at))
            {
                if (await RandomAccess.ReadAsync(file, buffer, at, cancellationToken).ConfigureAwait(false) is not (> 0 and var read))
                    break;
                at += read;
            }
        }
    }

    /// <summary>How much of a file's data is there, by samples: 0 to 1. Where that cannot be known, 0.</summary>
    internal static double ShareOf(string path)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        var start = OperatingSystem.IsLinux() && length > 0 ? Libc.Mmap(0, (nuint)length, ProtectionRead, MapShared, (int)file.DangerousGetHandle(), 0) : MapFailed;
        if (start == MapFailed)
            return 0;
        try
        {
            return Share(file, start, length);
        }
        finally
        {
            _ = Libc.Munmap(start, (nuint)length);
        }
    }

    private static unsafe double Share(SafeFileHandle file, nint start, long length)
    {
        var (there, looked) = (0, 0);
        for (var sample = 0; sample < Samples; sample++)
        {
            var data = Libc.NextData(file, length / Samples * sample);
            if (data == long.MaxValue)
                break;
            byte page;
            var offset = data / Environment.SystemPageSize * Environment.SystemPageSize;
            if (Libc.InMemory(start + (nint)offset, (nuint)Environment.SystemPageSize, &page) != 0)
                return 0;
            looked++;
            there += page & 1;
        }

        return looked == 0 ? 1 : (double)there / looked;
    }
}

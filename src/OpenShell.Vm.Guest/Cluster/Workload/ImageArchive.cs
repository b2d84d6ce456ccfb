using System.Security.Cryptography;
using System.Text;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>
/// Tells an archive's content by its table of contents: <c>index.json</c> of an OCI layout and <c>manifest.json</c> of a docker archive name everything
/// else by its digest, so that hashing these few bytes is as good as hashing all of it, and costs nothing.
/// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
/// </summary>
internal static class ImageArchive
{
    private const int Block = 512;

    /// <summary>A hash that changes when any image in the archive does.</summary>
    /// <exception cref="GuestFaultException">It is no such archive.</exception>
    public static string Identity(string path)
    {
        using var file = File.OpenHandle(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var header = new byte[Block];
        var found = false;
        // The tar format: https://www.gnu.org/software/tar/manual/html_node/Standard.html (name at 0, size in octal at 124, data in blocks of 512).
        for (long at = 0; RandomAccess.Read(file, header, at) == Block && header[0] != 0;)
        {
            var name = Text(header.AsSpan(0, 100));
            var size = Convert.ToInt64(Text(header.AsSpan(124, 12)).Trim(), 8);
            if (name is "index.json" or "./index.json" or "manifest.json" or "./manifest.json")
            {
                var content = new byte[size];
                RandomAccess.Read(file, content, at + Block);
                hash.AppendData(content);
                found = true;
            }

            at += Block + ((size + Block - 1) / Block * Block);
        }

        return found
            ? Convert.ToHexStringLower(hash.GetHashAndReset())
            : throw new GuestFaultException("guest.image-archive", $"{path} has neither index.json nor manifest.json: it is no archive of container images.", "Rebuild the root image.");
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }
}

using System.Globalization;
using System.Text;

namespace OpenShell.Vm.Images.Formats;

/// <summary>
/// Writes the archive that the kernel unpacks as its first root: cpio in the "newc" format
/// (https://docs.kernel.org/driver-api/early-userspace/buffer-format.html). All owners are root and all times zero, so that equal contents give equal bytes.
/// </summary>
internal sealed class CpioWriter(Stream output) : IDisposable
{
    private const int Folder = 0x4000;   // S_IFDIR
    private const int Regular = 0x8000;  // S_IFREG
    private const int Link = 0xA000;     // S_IFLNK
    private const int Character = 0x2000; // S_IFCHR

    private readonly HashSet<string> _folders = new(StringComparer.Ordinal) { "" };
    private int _inode;
    private long _written;

    /// <summary>A folder, and those above it that are not there yet. Names have no leading slash.</summary>
    public void AddFolder(string name)
    {
        if (!_folders.Add(name))
            return;
        AddFolder(Parent(name));
        Entry(name, Folder | 0b111_101_101, [], links: 2);
    }

    /// <summary>A regular file.</summary>
    public void AddFile(string name, ReadOnlySpan<byte> content, bool executable)
    {
        AddFolder(Parent(name));
        Entry(name, Regular | (executable ? 0b111_101_101 : 0b110_100_100), content);
    }

    /// <summary>A symbolic link.</summary>
    public void AddLink(string name, string target)
    {
        AddFolder(Parent(name));
        Entry(name, Link | 0b111_111_111, Encoding.UTF8.GetBytes(target));
    }

    /// <summary>A character device, for owner only.</summary>
    public void AddCharacterDevice(string name, int major, int minor)
    {
        AddFolder(Parent(name));
        Entry(name, Character | 0b110_000_000, [], major: major, minor: minor);
    }

    /// <summary>Writes the end mark, and fills up to the block size that readers expect.</summary>
    public void Dispose()
    {
        Entry("TRAILER!!!", 0, []);
        Pad(512);
        output.Flush();
    }

    private void Entry(string name, int mode, ReadOnlySpan<byte> content, int links = 1, int major = 0, int minor = 0)
    {
        var path = Encoding.UTF8.GetBytes(name + "\0");
        int inode = mode == 0 ? 0 : ++_inode;
        int[] fields = [inode, mode, 0, 0, links, 0, content.Length, 0, 0, major, minor, path.Length, 0];
        var header = new StringBuilder("070701");
        foreach (var field in fields)
            header.Append(CultureInfo.InvariantCulture, $"{field:X8}");
        Write(Encoding.ASCII.GetBytes(header.ToString()));
        Write(path);
        Pad(4);
        Write(content);
        Pad(4);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _written += bytes.Length;
    }

    private void Pad(int to) => Write(new byte[(to - (_written % to)) % to]);

    private static string Parent(string name) => name.LastIndexOf('/') is var slash and > 0 ? name[..slash] : "";
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Snapshots;

/// <summary>
/// Where the memory of a machine lies that becomes a golden image: a file in memory, since one on a disk is written back to it all the time, which stops the guest again and again; on the disk where there is no room
/// for that.
/// </summary>
/// <param name="cache">The image cache: two of them bake the same image side by side.</param>
/// <param name="sharedMemory">Where files in memory are.</param>
internal sealed class MemoryPlace(string cache, string sharedMemory = "/dev/shm")
{
    // A user's, and a cache's: names in /dev/shm are everybody's.
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"openshell-vm-golden-{Libc.EffectiveUserId()}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(cache)))[..8]}-");

    /// <summary>Makes it: empty, and its owner's alone, as QEMU would not.</summary>
    /// <param name="hash">The image's.</param>
    /// <param name="building">Where the image is made.</param>
    /// <param name="memoryMib">What the machine has.</param>
    /// <returns>Its path.</returns>
    public string Make(string hash, string building, int memoryMib)
    {
        if (Directory.Exists(sharedMemory) && new DriveInfo(sharedMemory).AvailableFreeSpace >> 20 > memoryMib)
        {
            var shared = Path.Combine(sharedMemory, _prefix + hash);
            try
            {
                File.Delete(shared);
                return MakeFile(shared);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // That name is somebody else's: the folder of the image is nobody's.
            }
        }

        return MakeFile(Path.Combine(building, "memory.raw"));
    }

    // Only where there is none: not what somebody else has put there, nor where a link of theirs leads.
    private static string MakeFile(string path)
    {
        new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = AtomicFile.OwnerOnly }).Dispose();
        return path;
    }

    /// <summary>What is there at this moment: of bakes that run, and of killed ones, which left it. It takes memory until somebody removes it.</summary>
    public IEnumerable<(string Path, string Hash)> Existing() =>
        Directory.Exists(sharedMemory)
            ? Directory.EnumerateFiles(sharedMemory, _prefix + "*").Order(StringComparer.Ordinal).Select(path => (path, Path.GetFileName(path)[_prefix.Length..]))
            : [];
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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

    /// <summary>Its path.</summary>
    /// <param name="hash">The image's.</param>
    /// <param name="building">Where the image is made.</param>
    /// <param name="memoryMib">What the machine has.</param>
    public string For(string hash, string building, int memoryMib) =>
        Directory.Exists(sharedMemory) && new DriveInfo(sharedMemory).AvailableFreeSpace >> 20 > memoryMib
            ? Path.Combine(sharedMemory, _prefix + hash)
            : Path.Combine(building, "memory.raw");

    /// <summary>What is there at this moment: of bakes that run, and of killed ones, which left it. It takes memory until somebody removes it.</summary>
    public IEnumerable<(string Path, string Hash)> Existing() =>
        Directory.Exists(sharedMemory)
            ? Directory.EnumerateFiles(sharedMemory, _prefix + "*").Order(StringComparer.Ordinal).Select(path => (path, Path.GetFileName(path)[_prefix.Length..]))
            : [];
}

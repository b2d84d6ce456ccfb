namespace OpenShell.Vm.Snapshots;

/// <summary>
/// Where the memory of a machine lies that becomes a golden image: a file in memory, since one on a disk is written back to it all the time, which stops the guest again and again; on the disk where there is no room
/// for that.
/// </summary>
internal static class MemoryPlace
{
    private const string SharedMemory = "/dev/shm";

    /// <summary>Its path.</summary>
    internal static string For(string hash, string building, int memoryMib) =>
        Directory.Exists(SharedMemory) && new DriveInfo(SharedMemory).AvailableFreeSpace >> 20 > memoryMib
            ? Path.Combine(SharedMemory, $"openshell-vm-golden-{Interop.Libc.EffectiveUserId()}-{hash}")
            : Path.Combine(building, "memory.raw");
}

namespace OpenShell.Vm.Planning;

/// <summary>How much memory the host has.</summary>
internal static class HostMemory
{
    /// <summary>
    /// Physical memory in MiB, or the memory limit of this process's control group if that is less: QEMU is started within it.
    /// (.NET reports the smaller of the two, https://learn.microsoft.com/dotnet/api/system.gcmemoryinfo.totalavailablememorybytes.)
    /// </summary>
    internal static int TotalMib() => (int)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20);
}

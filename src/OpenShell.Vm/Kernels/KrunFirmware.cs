using System.Runtime.InteropServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Kernels;

/// <summary>
/// A libkrunfw, stock or ours, as libkrun itself reads it: loaded by the system's loader and asked by its two functions. Executes code of the library,
/// so it is for libraries that a machine would be started with anyway.
/// </summary>
/// <param name="Version">The ABI that it speaks: 5 since libkrun 1.17.</param>
/// <param name="Kernel">The kernel, copied out of it.</param>
internal sealed record KrunFirmware(int Version, FlatKernel Kernel)
{
    // More than any kernel; a size beyond it is a misreading, not a kernel.
    private const nuint MostBytes = 1 << 30;

    /// <summary>Reads one.</summary>
    /// <exception cref="FaultException"><c>kernel.firmware-unusable</c>: it cannot be loaded here, or lacks a function.</exception>
    public static unsafe KrunFirmware Read(string path)
    {
        nint library;
        try
        {
            library = NativeLibrary.Load(Path.GetFullPath(path));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw Unusable(path, e.Message, e);
        }

        try
        {
            if (!NativeLibrary.TryGetExport(library, KrunFirmwareWriter.GetKernel, out var getKernel) || !NativeLibrary.TryGetExport(library, KrunFirmwareWriter.GetVersion, out var getVersion))
                throw Unusable(path, $"it does not have both {KrunFirmwareWriter.GetKernel} and {KrunFirmwareWriter.GetVersion}", null);
            nuint load, entry, size;
            // Safe: the signatures are the ABI's, the three variables outlive the call, and the image is copied before the library is unloaded.
            var image = ((delegate* unmanaged<nuint*, nuint*, nuint*, byte*>)getKernel)(&load, &entry, &size);
            if (image is null || size is 0 or > MostBytes)
                throw Unusable(path, $"it tells of a kernel of {size} bytes", null);
            var version = ((delegate* unmanaged<int>)getVersion)();
            var machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? KernelMachine.Arm64 : KernelMachine.X64;
            return new KrunFirmware(version, new FlatKernel(machine, load, entry, new ReadOnlySpan<byte>(image, (int)size).ToArray()));
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }

    private static FaultException Unusable(string path, string why, Exception? cause) => new(
        new Fault
        {
            Code = "kernel.firmware-unusable",
            Stage = BootStages.Image,
            What = $"{path} cannot be used as libkrunfw: {why}.",
            Remedy = "Use libkrunfw 5 for this processor, such as the one that 'gateway kernel build' makes.",
        },
        cause);
}

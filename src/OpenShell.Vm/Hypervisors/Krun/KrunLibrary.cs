using System.Runtime.InteropServices;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>
/// libkrun, loaded: each function is looked up when it is called, since which there are depends on its version and build. It stays loaded until the process ends,
/// as do the threads that it starts. Unsafe code: the signatures are those of the header (see <see cref="KrunCall"/>), unchanged from 1.9 to 1.19; strings and
/// arrays live for the call, in which libkrun copies them.
/// </summary>
internal sealed unsafe class KrunLibrary
{
    private const int LogToStderr = -1; // KRUN_LOG_TARGET_DEFAULT
    private const uint NoColours = 2; // KRUN_LOG_STYLE_NEVER
    private const uint IgnoreEnvironment = 1; // KRUN_LOG_OPTION_NO_ENV
    private const int NoDescriptor = -1;

    private readonly nint _handle;

    /// <exception cref="Faults.FaultException">It cannot be loaded.</exception>
    internal KrunLibrary(string path)
    {
        try
        {
            _handle = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw KrunFaults.NotLoaded(path, e);
        }
    }

    /// <summary>Whether it has a function.</summary>
    internal bool Exports(string function) => NativeLibrary.TryGetExport(_handle, function, out _);

    /// <summary>The ABI of the libkrunfw that it opens: 5 since 1.17, which also brought <c>krun_disable_implicit_vsock</c>.</summary>
    internal int FirmwareVersion => Exports("krun_disable_implicit_vsock") ? 5 : 4;

    internal int CreateContext() => ((delegate* unmanaged<int>)Function("krun_create_ctx"))();

    internal int FreeContext(uint context) => ((delegate* unmanaged<uint, int>)Function("krun_free_ctx"))(context);

    /// <summary>Makes a call; returns what it did, which is negative when it failed.</summary>
    internal int Invoke(uint context, KrunCall call)
    {
        var function = Function(call.Function);
        using var strings = new NativeArguments();
        switch (call)
        {
            case KrunCall.InitLog log:
                return ((delegate* unmanaged<int, uint, uint, uint, int>)function)(LogToStderr, log.Level, NoColours, IgnoreEnvironment);
            case KrunCall.SetLogLevel log:
                return ((delegate* unmanaged<uint, int>)function)(log.Level);
            case KrunCall.SetVmConfig machine:
                return ((delegate* unmanaged<uint, byte, uint, int>)function)(context, machine.Vcpus, machine.MemoryMib);
            case KrunCall.SetConsoleOutput console:
                return ((delegate* unmanaged<uint, byte*, int>)function)(context, strings.Add(console.Path));
            case KrunCall.SetKernel kernel:
                return ((delegate* unmanaged<uint, byte*, uint, byte*, byte*, int>)function)(
                    context, strings.Add(kernel.Path), (uint)kernel.Format, kernel.Initramfs is { } initramfs ? strings.Add(initramfs) : null, strings.Add(kernel.CommandLine));
            case KrunCall.SetRoot root:
                return ((delegate* unmanaged<uint, byte*, int>)function)(context, strings.Add(root.Path));
            case KrunCall.SetExec exec:
                return ((delegate* unmanaged<uint, byte*, byte**, byte**, int>)function)(context, strings.Add(exec.Path), strings.Add(exec.Arguments), strings.Add(exec.Environment));
            case KrunCall.AddDisk2 disk:
                return ((delegate* unmanaged<uint, byte*, byte*, uint, byte, int>)function)(context, strings.Add(disk.Id), strings.Add(disk.Path), (uint)disk.Format, Bool(disk.ReadOnly));
            case KrunCall.AddDisk3 disk:
                return ((delegate* unmanaged<uint, byte*, byte*, uint, byte, byte, uint, int>)function)(
                    context, strings.Add(disk.Id), strings.Add(disk.Path), (uint)disk.Format, Bool(disk.ReadOnly), Bool(disk.DirectIo), (uint)disk.Sync);
            case KrunCall.AddVirtiofs share:
                return ((delegate* unmanaged<uint, byte*, byte*, int>)function)(context, strings.Add(share.Tag), strings.Add(share.Path));
            case KrunCall.AddVirtiofs3 share:
                return ((delegate* unmanaged<uint, byte*, byte*, ulong, byte, int>)function)(context, strings.Add(share.Tag), strings.Add(share.Path), share.SharedMemory, Bool(share.ReadOnly));
            case KrunCall.AddVsock vsock:
                return ((delegate* unmanaged<uint, uint, int>)function)(context, vsock.TsiFeatures);
            case KrunCall.AddVsockPort2 port:
                return ((delegate* unmanaged<uint, uint, byte*, byte, int>)function)(context, port.Port, strings.Add(port.Socket), Bool(port.Listen));
            case KrunCall.AddNetUnixstream net:
                return AddNet(function, context, strings, net.Socket, net.Mac, net.Features, net.Flags);
            case KrunCall.AddNetUnixgram net:
                return AddNet(function, context, strings, net.Socket, net.Mac, net.Features, net.Flags);
            case KrunCall.SetPasstFd passt:
                return ((delegate* unmanaged<uint, int, int>)function)(context, ConnectedDescriptor.Of(passt.Socket));
            case KrunCall.SetGvproxyPath gvproxy:
                return ((delegate* unmanaged<uint, byte*, int>)function)(context, strings.Add(gvproxy.Socket));
            case KrunCall.SetNetMac mac:
                fixed (byte* bytes = mac.Mac.Bytes)
                    return ((delegate* unmanaged<uint, byte*, int>)function)(context, bytes);
            case KrunCall.SetPortMap map:
                return ((delegate* unmanaged<uint, byte**, int>)function)(context, strings.Add(map.Ports));
            case KrunCall.DisableImplicitVsock or KrunCall.StartEnter:
                return ((delegate* unmanaged<uint, int>)function)(context);
            default:
                throw new ArgumentException($"There is no call {call}.", nameof(call));
        }
    }

    private static int AddNet(nint function, uint context, NativeArguments strings, string socket, MacAddress mac, uint features, uint flags)
    {
        fixed (byte* bytes = mac.Bytes)
            return ((delegate* unmanaged<uint, byte*, int, byte*, uint, uint, int>)function)(context, strings.Add(socket), NoDescriptor, bytes, features, flags);
    }

    /// <summary>C's <c>bool</c> is one byte, 0 or 1.</summary>
    private static byte Bool(bool value) => value ? (byte)1 : (byte)0;

    private nint Function(string name) =>
        NativeLibrary.TryGetExport(_handle, name, out var address) ? address : throw KrunFaults.Missing(name, "it is not the library that this program knows");
}

using System.Runtime.InteropServices;
using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>
/// The process that becomes a libkrun machine. Nothing else may run in it: <c>krun_start_enter</c> never returns but ends the process (<c>_exit</c>), and libkrun takes
/// SIGRTMIN for its virtual CPUs, by which the .NET runtime stops threads for a collection of garbage. So everything is prepared first, on one thread, and from the last
/// call on no managed code runs.
/// </summary>
public static class KrunProcess
{
    private const int Failed = 1;

    // The signals that .NET has handlers for, which run managed code: SIGHUP, SIGINT, SIGQUIT, SIGTERM. With the default they just end the process, as QEMU's do.
    private static readonly int[] ManagedSignals = [1, 2, 3, 15];

    /// <summary>Becomes the machine of a plan (<c>plan.json</c>). Returns only when that fails, with the process's exit code; why is on stderr and in the plan's fault file.</summary>
    public static int Run(string planFile)
    {
        KrunPlan? krun = null;
        try
        {
            var plan = Read(planFile);
            krun = plan.Krun;
            Enter(plan, plan.Krun!);
            return Failed;
        }
        catch (FaultException e)
        {
            Console.Error.WriteLine(e.Message);
            if (krun is not null)
                VmmFault.Write(krun.FaultFile, e.Faults);
            return Failed;
        }
    }

    private static BootPlan Read(string planFile)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(planFile), InstanceJson.Default.BootPlan) is { Krun: not null } plan ? plan : throw KrunFaults.PlanUnreadable(planFile, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw KrunFaults.PlanUnreadable(planFile, e);
        }
    }

    private static void Enter(BootPlan plan, KrunPlan krun)
    {
        KrunKernelFormat? format = plan.Kernel is { } kernel ? KrunKernel.FormatOf(kernel, RuntimeInformation.ProcessArchitecture == Architecture.Arm64) : null;
        var library = new KrunLibrary(krun.Library);
        var calls = KrunCalls.For(plan, format, library.Exports);
        if (format is null)
            LoadFirmware(library.FirmwareVersion, krun.Firmware);
        OpenFiles.RaiseLimit();

        _ = library.Invoke(0, KrunCalls.Log(krun.LogLevel, library.Exports));
        using var context = new KrunContext(library);
        foreach (var call in calls)
        {
            if (call is KrunCall.StartEnter)
                RestoreSignals();
            context.Invoke(call);
        }
    }

    /// <summary>
    /// libkrun opens libkrunfw by its bare name, when the context is made. Loaded here by its whole path, it is found by that name wherever it lies: on Linux by its
    /// SONAME; macOS also asks DYLD_FALLBACK_LIBRARY_PATH, which ./gateway sets.
    /// </summary>
    private static void LoadFirmware(int version, IReadOnlyList<string> found)
    {
        var name = KrunLibraries.FirmwareName(version, OperatingSystem.IsMacOS());
        var path = found.FirstOrDefault(file => Path.GetFileName(file) == name) ?? throw KrunFaults.FirmwareMissing(version, found);
        try
        {
            _ = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw KrunFaults.NotLoaded(path, e);
        }
    }

    private static void RestoreSignals()
    {
        foreach (var signal in ManagedSignals)
            _ = Libc.SetSignalHandler(signal, Libc.DefaultHandler);
    }
}

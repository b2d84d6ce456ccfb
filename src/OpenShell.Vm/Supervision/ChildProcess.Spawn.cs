using System.Runtime.InteropServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Supervision;

public sealed unsafe partial class ChildProcess
{
    // util-linux; essential on Debian. It sets the parent-death signal and then becomes the program: an argument list instead of code
    // between fork and exec, which .NET cannot have.
    private const string SetPriv = "/usr/bin/setpriv";

    private const int ByPid = 1; // P_PID
    private const int ExitedChildren = 4; // WEXITED
    private static readonly int LeaveWaitable = OperatingSystem.IsMacOS() ? 0x20 : 0x01000000; // WNOWAIT
    private const int SignalInformationSize = 128; // sizeof(siginfo_t)
    private const uint LogMode = 0x180; // rw-------

    private static int Spawn(LaunchSpec spec, bool independent)
    {
        if (!File.Exists(spec.Program))
            throw NotStarted(spec, "there is no such file");

        var wrapped = !independent && OperatingSystem.IsLinux() && File.Exists(SetPriv);
        var program = wrapped ? SetPriv : spec.Program;
        string[] arguments = wrapped
            ? [SetPriv, "--pdeathsig", "TERM", "--", spec.Program, .. spec.Arguments]
            : [spec.Program, .. spec.Arguments];

        // Every one of these buffers is owned here, zeroed, larger than any C library's object, and outlives the call.
        var attributes = stackalloc byte[Libc.SpawnObjectSize];
        var actions = stackalloc byte[Libc.SpawnObjectSize];
        var signals = stackalloc byte[Libc.SignalSetSize];
        using var argv = new NativeStrings(arguments);
        using var envp = new NativeStrings(spec.Environment.Select(e => $"{e.Key}={e.Value}"));

        Check(Libc.SpawnAttributesInit(attributes));
        Check(Libc.SpawnActionsInit(actions));
        try
        {
            var flags = independent ? Libc.SpawnSetSession : Libc.SpawnSetProcessGroup;

            // .NET ignores SIGPIPE and blocks others on its threads; a child would inherit both.
            flags |= Libc.SpawnSetSignalDefaults | Libc.SpawnSetSignalMask;
            _ = Libc.SignalSetFill(signals);
            Check(Libc.SpawnAttributesSetSignalDefaults(attributes, signals));
            _ = Libc.SignalSetEmpty(signals);
            Check(Libc.SpawnAttributesSetSignalMask(attributes, signals));

            Check(Libc.SpawnActionsOpen(actions, 0, "/dev/null", 0, 0));
            Check(Libc.SpawnActionsOpen(actions, 1, spec.LogFile, Libc.AppendCreate, LogMode));
            Check(Libc.SpawnActionsDup2(actions, 1, 2));
            if (OperatingSystem.IsMacOS())
                flags |= Libc.SpawnCloseOnExecDefault;
            else
                CloseTheRest(actions);

            Check(Libc.SpawnAttributesSetFlags(attributes, flags));
            using var pages = spec.HugePages ? null : new SmallPages();
            int pid;
            Check(Libc.PosixSpawn(&pid, program, actions, attributes, argv.Pointer, envp.Pointer));
            return pid;
        }
        finally
        {
            _ = Libc.SpawnActionsDestroy(actions);
            _ = Libc.SpawnAttributesDestroy(attributes);
        }

        void Check(int error)
        {
            if (error != 0)
                throw NotStarted(spec, Marshal.GetPInvokeErrorMessage(error));
        }
    }

    // What .NET opens is close-on-exec; what this process inherited from its own parent need not be.
    private static void CloseTheRest(byte* actions)
    {
        try
        {
            _ = Libc.SpawnActionsCloseFrom(actions, 3);
        }
        catch (EntryPointNotFoundException)
        {
            // musl: an inherited descriptor is then passed on.
        }
    }

    private ExitReason WaitForEnd()
    {
        // First wait without taking the zombie away, then take it under the lock: see Signal. EINTR: again.
        var information = stackalloc byte[SignalInformationSize];
        while (Libc.WaitId(ByPid, Identity.Pid, information, ExitedChildren | LeaveWaitable) != 0 && Marshal.GetLastPInvokeError() == Interrupted)
        {
        }

        lock (_reaping)
        {
            int status;
            int result;
            do
                result = Libc.WaitPid(Identity.Pid, &status, 0);
            while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);

            _reaped = true;
            return result == Identity.Pid ? ExitReason.FromWaitStatus(status) : new ExitReason(null, null);
        }
    }

    private const int Interrupted = 4; // EINTR

    private static FaultException NotStarted(LaunchSpec spec, string why) => new(new Fault
    {
        Code = "process.not-started",
        What = $"{spec.Title} ({spec.Program}) could not be started: {why}.",
        Remedy = "See that it is installed and may be executed: 'gateway doctor' checks all of them.",
    });

    /// <summary>An array of C strings that ends in NULL.</summary>
    private sealed class NativeStrings : IDisposable
    {
        private readonly int _count;

        internal NativeStrings(IEnumerable<string> strings)
        {
            var all = strings.ToArray();
            _count = all.Length;
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
            for (var i = 0; i < _count; i++)
                Pointer[i] = (byte*)Marshal.StringToCoTaskMemUTF8(all[i]);
        }

        internal byte** Pointer { get; }

        public void Dispose()
        {
            for (var i = 0; i < _count; i++)
                Marshal.FreeCoTaskMem((nint)Pointer[i]);
            NativeMemory.Free(Pointer);
        }
    }
}

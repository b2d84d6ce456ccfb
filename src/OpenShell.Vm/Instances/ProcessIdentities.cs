using System.Globalization;
using System.Runtime.InteropServices;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Instances;

/// <summary>Finds out who has a process id: numbers are used again, (number, start time) pairs are not, until the host is booted: Linux counts from there. So the boot belongs to it.</summary>
public static partial class ProcessIdentities
{
    private const string BootFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>The host's boot: no two have the same (https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html); <see langword="null"/> where start times do not need it.</summary>
    internal static string? Boot { get; } = ReadBoot();

    /// <summary>Begins, in the name of a folder, what tells boots apart; no hexadecimal digit, as what older versions wrote there.</summary>
    private const char BootMark = 'z';

    private const int BootDigits = 8;

    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = Of(Environment.ProcessId) ?? new ProcessIdentity(Environment.ProcessId, 0, Boot);

    /// <summary>The process that has the number now; <see langword="null"/> if none has. A zombie has ended.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        var start = OperatingSystem.IsMacOS() ? Mac.StartTime(pid) : LinuxStartTime(pid);
        return start is null ? null : new ProcessIdentity(pid, start.Value, Boot);
    }

    /// <summary>Whether exactly that process still runs. One of another boot does not, whoever has its number now; where the boot was not recorded, number and start time must do.</summary>
    public static bool IsAlive(ProcessIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return identity.Pid > 0 && Of(identity.Pid) is { } now && now == identity with { Boot = identity.Boot is null || now.Boot is null ? now.Boot : identity.Boot };
    }

    /// <summary>For the name of a folder: that it is this process's, and something that no other has.</summary>
    internal static string ForName(string unique) => string.Create(CultureInfo.InvariantCulture, $"{Current.Pid}-{Current.StartTime}-{(Boot is null ? "" : BootMark + Boot[..BootDigits])}{unique}");

    /// <summary>Whose a folder is, by the three parts of that; <see langword="null"/>: it is none such.</summary>
    internal static ProcessIdentity? FromName(string pid, string start, string rest)
    {
        if (!int.TryParse(pid, out var number) || !long.TryParse(start, out var time))
            return null;
        var boot = rest.Length > BootDigits && rest[0] == BootMark ? rest[1..(BootDigits + 1)] : null;
        return new ProcessIdentity(number, time, boot is not null && Boot?[..BootDigits] == boot ? Boot : boot);
    }

    /// <summary>Sends a signal to exactly that process; nothing happens when it is gone.</summary>
    /// <remarks>
    /// On Linux the process is held by a descriptor (https://man7.org/linux/man-pages/man2/pidfd_open.2.html) while it is looked at, so that its number cannot
    /// become another's between the look and the signal. Kernels before 5.3 and macOS have none: there the moment between the two remains.
    /// </remarks>
    internal static void Signal(ProcessIdentity identity, int signal)
    {
        var descriptor = OperatingSystem.IsLinux() ? (int)Libc.SystemCall(Libc.PidFdOpen, identity.Pid, 0, 0, 0) : -1;
        try
        {
            if (!IsAlive(identity))
                return;
            if (descriptor >= 0)
                _ = Libc.SystemCall(Libc.PidFdSendSignal, descriptor, signal, 0, 0);
            else
                _ = Libc.Kill(identity.Pid, signal);
        }
        finally
        {
            if (descriptor >= 0)
                _ = Libc.Close(descriptor);
        }
    }

    /// <summary>A sandbox may hide it: then as if it had never been recorded.</summary>
    private static string? ReadBoot()
    {
        try
        {
            return File.Exists(BootFile) && File.ReadAllText(BootFile).Trim() is { Length: > BootDigits } boot ? boot : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long? LinuxStartTime(int pid)
    {
        try
        {
            // The second field, the name in parentheses, may contain spaces and parentheses itself: count from the last one.
            // State is field 3, the start time field 22.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[22 - 3], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>sysctl(KERN_PROC_PID); written by the headers of macOS 14 and not run yet.</summary>
    private static unsafe partial class Mac
    {
        private const int KernelInformation = 1; // CTL_KERN
        private const int Processes = 14; // KERN_PROC
        private const int ByPid = 1; // KERN_PROC_PID
        private const int ProcessStructureSize = 648; // sizeof(struct kinfo_proc), 64 bits; begins with kp_proc.p_starttime, a timeval

        [LibraryImport("libc", EntryPoint = "sysctl", SetLastError = true)]
        private static partial int Sysctl(int* name, uint length, byte* old, nuint* oldLength, byte* @new, nuint newLength);

        internal static long? StartTime(int pid)
        {
            var name = stackalloc int[] { KernelInformation, Processes, ByPid, pid };
            var buffer = stackalloc byte[ProcessStructureSize];
            nuint length = ProcessStructureSize;
            return Sysctl(name, 4, buffer, &length, null, 0) == 0 && length != 0
                ? *(long*)buffer * 1_000_000 + *(int*)(buffer + 8)
                : null;
        }
    }
}

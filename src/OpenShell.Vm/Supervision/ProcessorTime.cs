using System.Globalization;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary>The processor time that a process has used.</summary>
internal sealed class ProcessorTime(ProcessIdentity process)
{
    /// <summary>
    /// User and system time of all its threads: fields 14 and 15 of /proc/PID/stat, in hundredths of a second (USER_HZ is 100 on every architecture that Linux runs QEMU on). Where it cannot be
    /// known, or the process is gone, more than anybody asks for.
    /// </summary>
    internal TimeSpan Used
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return Unknown;
            try
            {
                var stat = File.ReadAllText($"/proc/{process.Pid}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                return Number(fields[22 - 3]) == process.StartTime ? TimeSpan.FromMilliseconds(10 * (Number(fields[14 - 3]) + Number(fields[15 - 3]))) : Unknown;
            }
            catch (IOException)
            {
                return Unknown;
            }
        }
    }

    /// <summary>Grows, so that differences are large as well.</summary>
    private static TimeSpan Unknown => TimeSpan.FromMilliseconds(Environment.TickCount64);

    private static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}

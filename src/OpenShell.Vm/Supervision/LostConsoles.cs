using OpenShell.Vm.Instances;
using OpenShell.Vm.Logs;

namespace OpenShell.Vm.Supervision;

/// <summary>The consoles of machines that were lost: kept, since the next machine's takes the place of the last.</summary>
internal static class LostConsoles
{
    /// <summary>How many are kept.</summary>
    internal const int Kept = 3;

    /// <summary>Keeps the console that there is, as the youngest. That it cannot be kept (a full disk) stops no start.</summary>
    internal static void Keep(InstanceFiles files)
    {
        try
        {
            if (File.Exists(files.ConsoleLog))
                MakeRoom(files);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another is written all the same.
        }
    }

    private static void MakeRoom(InstanceFiles files)
    {
        for (var number = Kept - 1; number >= 1; number--)
        {
            if (File.Exists(files.ConsoleOfLost(number)))
                File.Move(files.ConsoleOfLost(number), files.ConsoleOfLost(number + 1), overwrite: true);
        }

        // A machine's last words may be in the part that was put aside a moment before.
        if (LogRotation.Parts(files.ConsoleLog) is [.., var youngest])
        {
            File.Move(youngest, files.ConsoleOfLost(1), overwrite: true);
            using var whole = new FileStream(files.ConsoleOfLost(1), FileMode.Append, FileAccess.Write);
            using var rest = File.OpenRead(files.ConsoleLog);
            rest.CopyTo(whole);
            LogRotation.Remove(files.ConsoleLog);
            return;
        }

        File.Move(files.ConsoleLog, files.ConsoleOfLost(1), overwrite: true);
    }
}

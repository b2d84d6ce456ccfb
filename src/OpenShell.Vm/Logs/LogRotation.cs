namespace OpenShell.Vm.Logs;

/// <summary>
/// Rotates a log that another process appends to: it keeps its descriptor, so the file is copied and cut. What is written in the instant between the two is lost; a pipe through the supervisor
/// would avoid that, and end with the supervisor.
/// </summary>
public static class LogRotation
{
    /// <summary>An older part, from 1, the youngest.</summary>
    public static string PartOf(string path, int number) => $"{path}.{number}";

    /// <summary>Rotates it if it is too long.</summary>
    /// <returns>Whether it was.</returns>
    public static bool Rotate(string path, LogLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        try
        {
            if (new FileInfo(path) is not { Exists: true } file || file.Length <= limits.Bytes)
                return false;
            for (var number = limits.Kept - 1; number >= 1; number--)
            {
                if (File.Exists(PartOf(path, number)))
                    File.Move(PartOf(path, number), PartOf(path, number + 1), overwrite: true);
            }

            // Under its name only when it is whole, and before the log is cut: a reader that misses something then finds it there.
            var aside = PartOf(path, 1) + ".tmp";
            File.Copy(path, aside, overwrite: true);
            File.Move(aside, PartOf(path, 1), overwrite: true);
            using var cut = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            cut.SetLength(0);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk: the log grows on, or does not.
            return false;
        }
    }

    /// <summary>Removes a log with its older parts.</summary>
    public static void Remove(string path)
    {
        File.Delete(path);
        foreach (var part in Parts(path))
            File.Delete(part);
    }

    /// <summary>The older parts that there are, the oldest first.</summary>
    public static IReadOnlyList<string> Parts(string path)
    {
        var parts = new Stack<string>();
        for (var number = 1; File.Exists(PartOf(path, number)); number++)
            parts.Push(PartOf(path, number));
        return [.. parts];
    }
}

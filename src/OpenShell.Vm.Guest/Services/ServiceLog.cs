using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Services;

/// <summary>
/// A service's log. The service appends to it by itself (PID 1 is not in the way), so it is rotated by copying and cutting: what is written in the
/// instant between the two is lost, which a pipe through PID 1 would avoid at the price of copying every line on an emulated processor.
/// </summary>
internal sealed class ServiceLog
{
    /// <summary>A log is cut when it is longer than this.</summary>
    public const long Limit = 8 * 1024 * 1024;

    /// <summary>Parts from before that are kept: <c>NAME.log.1</c> is the youngest.</summary>
    public const int Kept = 3;

    private readonly long _limit;

    /// <summary>The log of a service.</summary>
    public ServiceLog(string name, string folder = GuestPaths.Logs, long limit = Limit)
    {
        Path = $"{folder}/{name}.log";
        _limit = limit;
    }

    /// <summary>Its file, opened for appending by whoever writes.</summary>
    public string Path { get; }

    /// <summary>Cuts the log if it is too long.</summary>
    public void Rotate()
    {
        try
        {
            if (new FileInfo(Path) is not { Exists: true } file || file.Length <= _limit)
                return;
            for (var number = Kept - 1; number >= 1; number--)
            {
                if (File.Exists($"{Path}.{number}"))
                    File.Move($"{Path}.{number}", $"{Path}.{number + 1}", overwrite: true);
            }

            File.Copy(Path, Path + ".1", overwrite: true);
            using var cut = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            cut.SetLength(0);
        }
        catch (IOException exception)
        {
            KernelConsole.Say($"{Path} could not be rotated: {exception.Message}");
        }
    }

    /// <summary>The last lines, for a fault that says why a service ended.</summary>
    /// <param name="length">At most this many bytes.</param>
    public string Tail(int length = 400)
    {
        try
        {
            using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Seek(Math.Max(0, file.Length - length), SeekOrigin.Begin);
            return new StreamReader(file).ReadToEnd().Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }
}

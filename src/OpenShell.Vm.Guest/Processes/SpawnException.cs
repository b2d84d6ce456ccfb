namespace OpenShell.Vm.Guest.Processes;

/// <summary>A program that did not start: nothing of it ran.</summary>
public sealed class SpawnException : IOException
{
    internal SpawnException(int exitCode, int errno, string message)
        : base(message)
    {
        ExitCode = exitCode;
        Errno = errno;
    }

    /// <summary>What a shell, and docker, would report: 127 when the program was not found, else 126.</summary>
    public int ExitCode { get; }

    /// <summary>The error number of the system call that failed.</summary>
    public int Errno { get; }

    internal static SpawnException NotFound(string program) =>
        new(127, Libc.ENOENT, program.Contains('/', StringComparison.Ordinal)
            ? $"exec: \"{program}\": no such file or directory"
            : $"exec: \"{program}\": executable file not found in $PATH");

    internal static SpawnException NotExecutable(string program, int errno) =>
        new(126, errno, $"exec: \"{program}\": {Libc.Message(errno)}");

    internal static SpawnException Directory(string path, int errno) =>
        new(126, errno, $"chdir to \"{path}\": {Libc.Message(errno)}");

    internal static SpawnException Other(string what, int errno) =>
        new(126, errno, $"{what}: {Libc.Message(errno)}");
}

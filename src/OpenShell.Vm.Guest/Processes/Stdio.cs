namespace OpenShell.Vm.Guest.Processes;

/// <summary>Where one of a child's standard descriptors leads.</summary>
public abstract record Stdio
{
    private Stdio()
    {
    }

    /// <summary><c>/dev/null</c>.</summary>
    public static Stdio Null { get; } = new PathTarget("/dev/null", StdioAccess.ReadWrite);

    /// <summary>An open descriptor of this process, which keeps owning it.</summary>
    public static Stdio Descriptor(int fd) => new FdTarget(fd);

    /// <summary>A file to read from.</summary>
    public static Stdio ReadFrom(string path) => new PathTarget(path, StdioAccess.Read);

    /// <summary>A file to append to, made (0644) if missing.</summary>
    public static Stdio AppendTo(string path) => new PathTarget(path, StdioAccess.Append);

    internal sealed record FdTarget(int Fd) : Stdio;

    internal sealed record PathTarget(string Path, StdioAccess Access) : Stdio;
}

/// <summary>How a path is opened for a child.</summary>
internal enum StdioAccess
{
    Read,
    ReadWrite,
    Append,
}

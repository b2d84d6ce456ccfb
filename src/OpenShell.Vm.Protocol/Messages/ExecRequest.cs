namespace OpenShell.Vm.Protocol.Messages;

/// <summary>A program to run in the guest.</summary>
public sealed record ExecRequest
{
    /// <summary>The program: an absolute path, or a name looked up in the guest's PATH.</summary>
    public required string Program { get; init; }

    /// <summary>Arguments without argv[0].</summary>
    public IReadOnlyList<string> Arguments { get; init => field = value ?? []; } = [];

    /// <summary>Variables added to the guest's default environment, <c>KEY=VALUE</c>.</summary>
    public IReadOnlyList<string> Environment { get; init => field = value ?? []; } = [];

    /// <summary>Working directory; <see langword="null"/>: <c>/</c>.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Give the program a terminal: stdin, stdout and stderr are one pseudo terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>Whether stdin will be sent; without it the program reads end-of-file at once.</summary>
    public bool Stdin { get; init; }

    /// <summary>Initial size of the terminal in character cells.</summary>
    public TerminalSize? Size { get; init; }
}

/// <summary>The size of a terminal in character cells.</summary>
/// <param name="Columns">Width.</param>
/// <param name="Rows">Height.</param>
public sealed record TerminalSize(int Columns, int Rows);

/// <summary>How a program in the guest ended.</summary>
public sealed record ExecResult
{
    /// <summary>
    /// The exit code as a shell reports it: the program's own, 128+n when signal n ended it,
    /// 126 when it could not be executed, 127 when it was not found.
    /// </summary>
    public required int ExitCode { get; init; }

    /// <summary>Why the program did not run at all, for 126 and 127; else <see langword="null"/>.</summary>
    public string? Error { get; init; }
}

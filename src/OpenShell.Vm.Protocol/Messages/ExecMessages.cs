namespace OpenShell.Vm.Protocol.Messages;

/// <summary>A program runs: the first message of the guest on an <c>exec</c> stream, unless it could not be started.</summary>
/// <param name="Id">By which <see cref="ExecSignal"/> and <see cref="ExecResize"/> name it: 32 random hexadecimal digits.</param>
/// <param name="Pid">Its process id in the guest.</param>
public sealed record ExecStarted(string Id, int Pid);

/// <summary>A signal for the process group of a running program.</summary>
/// <param name="Id">From <see cref="ExecStarted"/>.</param>
/// <param name="Signal">Linux's number, 1 to 64.</param>
public sealed record ExecSignal(string Id, int Signal);

/// <summary>The new size of a running program's terminal.</summary>
/// <param name="Id">From <see cref="ExecStarted"/>.</param>
/// <param name="Size">Columns and rows, 1 to 65535 each.</param>
public sealed record ExecResize(string Id, TerminalSize Size);

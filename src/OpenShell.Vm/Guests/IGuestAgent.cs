using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

/// <summary>
/// The host's end of the agent channel, either straight to a guest (in its supervisor) or through a supervisor's broker (in any other
/// process): the same protocol both times. Safe for concurrent use; streams do not block one another.
/// </summary>
public interface IGuestAgent : IAsyncDisposable
{
    /// <summary>Starts a program in the guest.</summary>
    /// <exception cref="Faults.FaultException">The channel is broken, or the guest refuses.</exception>
    Task<IGuestProcess> ExecAsync(ExecRequest request, CancellationToken cancellationToken = default);

    /// <summary>Copies a regular file out of the guest into <paramref name="destination"/>.</summary>
    /// <exception cref="FileNotFoundException">There is no such file in the guest.</exception>
    Task ReadFileAsync(string path, Stream destination, CancellationToken cancellationToken = default);

    /// <summary>Writes a file in the guest, whole or not at all (aside, then renamed), creating its folders.</summary>
    Task WriteFileAsync(string path, Stream source, UnixFileMode mode, CancellationToken cancellationToken = default);

    /// <summary>Copies a file, a link or a folder out of the guest. What it sends is held to <paramref name="limits"/> and to the rules of names before <paramref name="sink"/> sees it.</summary>
    /// <exception cref="Faults.FaultException">It is not there, cannot be read or written, or breaks a rule or limit.</exception>
    Task<TreeSummary> ReadTreeAsync(TreeReadRequest request, ITreeSink sink, TreeLimits limits, IProgress<TreeProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Copies into the guest what <paramref name="source"/> sends; completes when the guest has confirmed all of it.</summary>
    /// <exception cref="Faults.FaultException">It cannot be read, or not be written there.</exception>
    Task<TreeSummary> WriteTreeAsync(TreeWriteRequest request, Func<MuxStream, CancellationToken, Task<TreeSummary>> source, CancellationToken cancellationToken = default);

    /// <summary>Asks the guest to stop its services in order, unmount and power off; completes when the guest has accepted.</summary>
    Task PowerOffAsync(CancellationToken cancellationToken = default);

    /// <summary>Completes, with the reason, when the channel is gone for good.</summary>
    Task<string> Closed { get; }
}

/// <summary>A program that runs in the guest. Disposing it without waiting sends it SIGKILL.</summary>
/// <remarks>
/// Output is flow-controlled, so both <see cref="Stdout"/> and <see cref="Stderr"/> must be read or closed: once about 256 KiB of one wait, the program,
/// its other output and <see cref="Completion"/> wait for their reader.
/// </remarks>
public interface IGuestProcess : IAsyncDisposable
{
    /// <summary>The program's stdin; closing it is its end-of-file. <see cref="Stream.Null"/> unless asked for.</summary>
    Stream Stdin { get; }

    /// <summary>Its stdout, or all of its terminal's output.</summary>
    Stream Stdout { get; }

    /// <summary>Its stderr; empty with a terminal.</summary>
    Stream Stderr { get; }

    /// <summary>How it ended; completes after the last byte of output is readable.</summary>
    Task<ExecResult> Completion { get; }

    /// <summary>Tells the program's terminal its new size.</summary>
    Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken = default);

    /// <summary>Sends a signal, by its Linux number, to the program's process group.</summary>
    Task SignalAsync(int signal, CancellationToken cancellationToken = default);
}

using System.ComponentModel;
using System.Diagnostics;

namespace OpenShell.Vm.Planning;

/// <summary>Runs a short-lived helper and returns what it printed.</summary>
internal static class CapturedProcess
{
    /// <summary>Its stdout; <see langword="null"/> when it could not be started or did not end in time (it is then killed, and not waited for: under a broken KVM even that may hang).</summary>
    internal static async Task<string?> RunAsync(IReadOnlyList<string> command, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(command[0], command.Skip(1))
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        try
        {
            process.Start();
        }
        catch (Win32Exception)
        {
            return null;
        }

        try
        {
            process.StandardInput.Close();
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginErrorReadLine();
            var output = await process.StandardOutput.ReadToEndAsync(deadline.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
            return output;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: false);
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }
}

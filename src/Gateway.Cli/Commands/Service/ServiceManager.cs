using System.ComponentModel;
using System.Diagnostics;

namespace OpenShell.Gateway.Cli.Commands.Service;

/// <summary>systemctl of the user. Where there is no manager for this user (a container, a session over su), nothing is told to anybody: the next login reads the files.</summary>
internal static class ServiceManager
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Tells the running manager to look at its files again; false: there is none to tell.</summary>
    public static async Task<bool> ReloadAsync() => !OperatingSystem.IsMacOS() && await RunAsync("systemctl", "--user", "daemon-reload") is { Code: 0 };

    /// <summary>What the manager says of a service, such as <c>active</c>; <see langword="null"/>: there is none to ask.</summary>
    public static async Task<string?> ActiveAsync(string service)
    {
        if (OperatingSystem.IsMacOS())
            return await RunAsync("launchctl", "list", service) is { } agent ? (agent.Code == 0 ? "loaded" : "not loaded") : null;
        return await RunAsync("systemctl", "--user", "is-active", service) is { Output: { Length: > 0 } said } ? said : null;
    }

    private static async Task<(int Code, string Output)?> RunAsync(string program, params string[] arguments)
    {
        using var process = new Process { StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true } };
        try
        {
            process.Start();
        }
        catch (Win32Exception)
        {
            return null;
        }

        using var limit = new CancellationTokenSource(Limit);
        try
        {
            process.StandardInput.Close();
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginErrorReadLine();
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, output.Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            return null;
        }
    }
}

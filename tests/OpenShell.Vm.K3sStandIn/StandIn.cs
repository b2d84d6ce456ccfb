using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.K3sStandIn;

/// <summary>The commands, by name or by the name of the program: https://docs.k3s.io/cli</summary>
internal static class StandIn
{
    /// <summary>What it says it is.</summary>
    public const string Version = "k3s stand-in (Kubernetes 1.20.2)";

    private static readonly string[] Tools = ["kubectl", "ctr", "crictl"];

    /// <summary>Runs one.</summary>
    public static async Task<int> RunAsync(string[] commandLine)
    {
        var name = Path.GetFileName(commandLine[0]);
        var arguments = commandLine[1..];
        if (Tools.Contains(name))
            return RunTool(name, arguments);
        switch (arguments.FirstOrDefault())
        {
            case "--version" or "-v":
                Console.WriteLine(Version);
                return 0;
            case "server":
                return await ServeAsync(arguments[1..]).ConfigureAwait(false);
            case { } tool when Tools.Contains(tool):
                return RunTool(tool, arguments[1..]);
            case { } unknown:
                // k3s's command line is urfave/cli's, which ends with 3 for a command that it does not know.
                await Console.Error.WriteLineAsync($"No help topic for '{unknown}'").ConfigureAwait(false);
                return 3;
            default:
                Console.WriteLine(Version);
                return 0;
        }
    }

    private static async Task<int> ServeAsync(string[] arguments)
    {
        ServerOptions options;
        try
        {
            options = ServerFlags.Parse(arguments);
        }
        catch (FormatException e)
        {
            // As k3s: urfave/cli's message, the usage, and logrus' last word; exit code 1.
            await Console.Error.WriteLineAsync($"Incorrect Usage: {e.Message}\n\n{ServerFlags.Usage}\ntime=\"{DateTime.UtcNow:O}\" level=fatal msg=\"Error: {e.Message}\"").ConfigureAwait(false);
            return 1;
        }

        return await Server.RunAsync(options).ConfigureAwait(false);
    }

    private static int RunTool(string name, string[] arguments)
    {
        var layout = new Layout(ServerOptions.DefaultData);
        var program = Path.Combine(layout.Current, "bin", name);
        if (name == "kubectl" && Environment.GetEnvironmentVariable("KUBECONFIG") is null)
            Environment.SetEnvironmentVariable("KUBECONFIG", Layout.Kubeconfig);
        // As k3s, whose containerd listens elsewhere than others.
        string[] socket = name switch { "ctr" => ["--address", Layout.ContainerdSocket], "crictl" => ["--runtime-endpoint", "unix://" + Layout.ContainerdSocket], _ => [] };
        _ = Linux.Execute(program, [program, .. socket, .. arguments, null]);
        Console.Error.WriteLine($"{program} cannot be run: {Errno.LastText}");
        return 127;
    }
}

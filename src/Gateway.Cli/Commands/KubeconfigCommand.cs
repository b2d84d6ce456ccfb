using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway kubeconfig</c>: what kubectl needs.</summary>
internal static class KubeconfigCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var path = new Option<bool>("--path") { Description = "Print where the file is instead of what it says." };
        var output = new OutputOption();
        var command = new Command("kubeconfig", "Print the kubeconfig of an instance.") { name, path, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            if (status.Kubeconfig is not { } file || !File.Exists(file))
            {
                throw new FaultException(new Fault
                {
                    Code = "instance.no-kubeconfig",
                    What = $"'{status.Name}' has no kubeconfig: it has not been ready yet.",
                    Remedy = "Start it with 'gateway up'.",
                });
            }

            if (json)
                CliJson.Write(context.Host.Out, new KubeconfigView(status.Name, file));
            else if (parse.GetValue(path))
                await context.Host.Out.WriteLineAsync(file);
            else
                await context.Host.Out.WriteAsync(await File.ReadAllTextAsync(file));
            return ExitCodes.Success;
        });
        return command;
    }
}

using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway setup</c>: the host's packages.</summary>
internal static class SetupCommand
{
    public static Command Create(CommandContext context)
    {
        var tests = new Option<bool>("--with-tests") { Description = "Also what only this project's tests and benchmarks use." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what is missing." };
        var output = new OutputOption();
        var command = new Command("setup", "Install the packages that this program needs (as root). Says which and why first.") { tests, dryRun, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var missing = await context.Host.Packages.MissingAsync(null, CancellationToken.None);
            if (parse.GetValue(tests))
                missing = [.. missing, .. await context.Host.Packages.MissingAsync([HostPackages.Test], CancellationToken.None)];
            if (missing.Count > 0 && !parse.GetValue(dryRun))
                await PackageSetup.InstallAsync(context, missing);
            else if (missing.Count > 0 && !json)
                PackageSetup.WriteList(context.Host.Out, missing);

            var ready = missing.Count == 0 || !parse.GetValue(dryRun);
            if (json)
                CliJson.Write(context.Host.Out, new SetupView(ready, [.. missing.Select(m => new PackageView(m.Package.Name, m.Package.Why, m.Package.Suite, m.Installed))]));
            else if (ready && !context.Quiet)
                await context.Host.Error.WriteLineAsync("Every package that is needed is there.");
            return ExitCodes.Success;
        });
        return command;
    }
}

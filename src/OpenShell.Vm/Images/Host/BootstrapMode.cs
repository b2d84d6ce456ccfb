using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Host;

/// <summary>How mmdebstrap gets a file system whose owner is root: as root, in a user namespace, or by pretending.</summary>
internal static class BootstrapMode
{
    private const string SubordinateUsers = "/etc/subuid";

    /// <summary>Arguments of unshare(1) for a user namespace like mmdebstrap's own: this user is root in it, and its subordinate users are the others.</summary>
    public static IReadOnlyList<string> AsMappedRoot { get; } = ["--user", "--map-auto", "--map-root-user"];

    /// <summary><c>root</c>, <c>unshare</c> or <c>fakechroot</c>: the first that works here.</summary>
    /// <exception cref="Faults.FaultException"><c>setup.no-user-namespace</c>: none does.</exception>
    public static async Task<string> ChooseAsync(Tools tools, CancellationToken cancellationToken)
    {
        if (Environment.IsPrivilegedProcess)
            return "root";
        var reason = await WhyNoNamespaceAsync(tools, cancellationToken).ConfigureAwait(false);
        if (reason is null)
            return "unshare";
        if (RuntimeTools.FindProgram("fakechroot") is not null && RuntimeTools.FindProgram("fakeroot") is not null)
            return "fakechroot";
        throw ImageFaults.Make(
            "setup.no-user-namespace",
            $"An ordinary user builds the root file system in a user namespace, which is not possible here: {reason}.",
            $"Run 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {Environment.UserName}', or install the package fakechroot.",
            tools.LogFile);
    }

    /// <summary>The command as it is run by somebody who is root, or takes himself for it: for tools that write who runs them into what they make.</summary>
    /// <exception cref="Faults.FaultException"><c>setup.no-user-namespace</c>; <c>setup.missing-package</c>.</exception>
    public static async Task<ToolCommand> AsRootAsync(ToolCommand command, Tools tools, CancellationToken cancellationToken)
    {
        var program = RuntimeTools.FindProgram(command.Program) ?? throw HostPackages.MissingTool(command.Program);
        return await ChooseAsync(tools, cancellationToken).ConfigureAwait(false) switch
        {
            "root" => command,
            "unshare" => command with { Program = "unshare", Arguments = [.. AsMappedRoot, "--", program, .. command.Arguments] },
            _ => command with { Program = "fakeroot", Arguments = ["--", program, .. command.Arguments] },
        };
    }

    private static async Task<string?> WhyNoNamespaceAsync(Tools tools, CancellationToken cancellationToken)
    {
        if (RuntimeTools.FindProgram("newuidmap") is null)
            return "newuidmap (package uidmap) is not installed";
        if (!File.Exists(SubordinateUsers) || !File.ReadLines(SubordinateUsers).Any(l => l.StartsWith(Environment.UserName + ":", StringComparison.Ordinal)))
            return $"{SubordinateUsers} has no range for {Environment.UserName}";
        try
        {
            await tools.RunAsync(new ToolCommand { Program = "unshare", Arguments = [.. AsMappedRoot, "true"] }, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (ToolFailedException e)
        {
            return e.Message;
        }
    }
}

using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>The environment of a program that the host starts.</summary>
internal static class ExecEnvironment
{
    private const string DefaultTerminal = "TERM=xterm";

    /// <summary>Each variable once, since getenv finds the first: the guest's defaults, TERM with a terminal, then the request's own.</summary>
    public static IReadOnlyList<string> Merge(IReadOnlyList<string> defaults, ExecRequest request)
    {
        var merged = new Dictionary<string, string>();
        IEnumerable<string> terminal = request.Terminal ? [DefaultTerminal] : [];
        foreach (var variable in defaults.Concat(terminal).Concat(request.Environment))
            merged[variable[..variable.IndexOf('=', StringComparison.Ordinal)]] = variable;
        return [.. merged.Values];
    }
}

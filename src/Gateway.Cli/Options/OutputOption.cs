using System.CommandLine;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options;

/// <summary><c>--output text|json</c>: for people or for programs.</summary>
internal sealed class OutputOption : Option<string?>
{
    /// <param name="withAlias">Whether it is <c>-o</c> too; not where that names a file.</param>
    public OutputOption(bool withAlias = true)
        : base("--output", withAlias ? ["-o"] : [])
    {
        Description = "'text' for people, 'json' for programs.";
        HelpName = "FORMAT";
        CompletionSources.Add("text", "json");
    }

    /// <summary>Whether JSON is wanted.</summary>
    public bool IsJson(ParseResult parse) => parse.GetValue(this) switch
    {
        null or "text" => false,
        "json" => true,
        var other => throw new FaultException(Values.ValueFaults.Make("--output", other, "there is no such format", "Write --output json, or leave it away.")),
    };
}

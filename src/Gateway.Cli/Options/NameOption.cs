using System.CommandLine;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Options;

/// <summary><c>--name N</c>: which instance is meant.</summary>
internal sealed class NameOption : Option<string?>
{
    public NameOption()
        : base("--name")
    {
        Description = $"The instance; '{InstanceName.Default}' if none is named.";
        HelpName = "NAME";
        CompletionSources.Add(Completing.InstanceNames.All);
    }

    /// <summary>The name, checked.</summary>
    public string Of(ParseResult parse) => Given(parse) is { } name ? InstanceName.Parse(name).Value : InstanceName.Default;

    /// <summary>What was given, unchecked; <see langword="null"/> if nothing was.</summary>
    public string? Given(ParseResult parse) => parse.GetValue(this);
}

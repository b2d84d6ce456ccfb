using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;

namespace OpenShell.Gateway.Cli.Options;

/// <summary><c>--arch amd64|arm64</c>: a processor.</summary>
internal sealed class ArchitectureOption : Option<string?>
{
    public ArchitectureOption(string description)
        : base("--arch")
    {
        Description = description;
        HelpName = "NAME";
        CompletionSources.Add([.. Architectures.All]);
    }

    /// <summary>One of <see cref="Architectures"/>; <see langword="null"/> where nothing was said.</summary>
    /// <exception cref="FaultException">There is no such.</exception>
    public string? Of(ParseResult parse) => parse.GetValue(this) is { } name && !Architectures.All.Contains(name)
        ? throw new FaultException(ValueFaults.Make("--arch", name, "there is no such processor here", $"Write {string.Join(" or ", Architectures.All.Select(a => "--arch " + a))}."))
        : parse.GetValue(this);
}

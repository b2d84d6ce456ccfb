using System.CommandLine;
using OpenShell.Vm.Distributions;

namespace OpenShell.Gateway.Cli.Options;

/// <summary>Which Kubernetes, and where k3s comes from.</summary>
internal sealed class DistributionOptions
{
    private readonly Option<string?> _name = new("--distribution") { Description = "Which Kubernetes: auto (k3s where it is cached or can be fetched, else upstream), k3s or upstream.", HelpName = "NAME" };
    private readonly Option<string?> _binary = new("--k3s-binary") { Description = "Use this k3s program, of any version; air-gap images are taken from beside it.", HelpName = "PATH" };

    public DistributionOptions() => _name.CompletionSources.Add(DistributionChoice.Auto, K3s.DistributionName, Upstream.DistributionName);

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_name);
        command.Options.Add(_binary);
    }

    /// <summary>The name; <see langword="null"/> where nothing was said.</summary>
    public string? NameOf(ParseResult parse) => parse.GetValue(_name);

    /// <summary>The absolute path of the program; <see langword="null"/> where none was given.</summary>
    public string? BinaryOf(ParseResult parse) => parse.GetValue(_binary) is { Length: > 0 } path ? Path.GetFullPath(path) : null;

    /// <summary>The distribution of an image, where nothing is chosen by what can be reached: k3s where a program of it is given.</summary>
    public string? OfImage(ParseResult parse) => NameOf(parse) is { } name and not DistributionChoice.Auto ? name : BinaryOf(parse) is null ? null : K3s.DistributionName;
}

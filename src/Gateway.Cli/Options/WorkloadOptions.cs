using System.CommandLine;
using OpenShell.Vm.Deliveries;

namespace OpenShell.Gateway.Cli.Options;

/// <summary><c>--manifests</c>, <c>--images</c>, <c>--chart</c>: what a cluster is to run.</summary>
/// <param name="manifests">What is done with manifests.</param>
/// <param name="images">What is done with images.</param>
/// <param name="charts">What is done with charts.</param>
internal sealed class WorkloadOptions(string manifests, string images, string charts)
{
    private readonly Option<string[]> _manifests = new("--manifests") { Description = manifests, HelpName = "PATH" };
    private readonly Option<string[]> _images = new("--images") { Description = images, HelpName = "PATH" };
    private readonly Option<string[]> _charts = new("--chart") { Description = charts, HelpName = "FILE" };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _manifests, _images, _charts })
            command.Options.Add(option);
    }

    /// <summary>What was named, as absolute paths.</summary>
    public WorkloadConfig Read(ParseResult parse)
    {
        return new WorkloadConfig { Manifests = Paths(_manifests), Images = Paths(_images), Charts = Paths(_charts) };

        IReadOnlyList<string> Paths(Option<string[]> option) => [.. (parse.GetValue(option) ?? []).Select(Path.GetFullPath)];
    }
}

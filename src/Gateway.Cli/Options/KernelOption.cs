using System.CommandLine;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Kernels;

namespace OpenShell.Gateway.Cli.Options;

/// <summary><c>--kernel debian|custom|PATH</c>: what the machine boots.</summary>
internal sealed class KernelOption : Option<string?>
{
    public KernelOption()
        : base("--kernel")
    {
        Description = "Which kernel: debian, custom (built from source, which takes long the first time), or the path of one that needs no modules (debian).";
        HelpName = "NAME|PATH";
        CompletionSources.Add("debian", "custom");
    }

    /// <summary>A name, or the absolute path of a file; <see langword="null"/> where nothing was said.</summary>
    /// <exception cref="FaultException">The file cannot be a kernel.</exception>
    public string? Of(ParseResult parse)
    {
        if (parse.GetValue(this) is not { } kernel || !KernelNames.IsFile(kernel))
            return parse.GetValue(this);
        var path = Path.GetFullPath(kernel);
        return KernelFileCheck.Fault(path) is { } fault ? throw new FaultException(fault) : path;
    }
}

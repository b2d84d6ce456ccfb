using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Mounts;

namespace OpenShell.Gateway.Cli.Options;

/// <summary><c>--mount HOST:GUEST[:ro]</c>, or <c>--mount none</c>.</summary>
internal sealed class MountOption : Option<string[]>
{
    private const string None = "none";

    public MountOption()
        : base("--mount")
    {
        Description = "Let the guest see a folder of this machine; may be repeated, and replaces all that were. 'none' for none. Needs --kernel custom, libkrun, or virtiofsd (docs/files.md).";
        HelpName = "HOST:GUEST[:ro]";
        CompletionSources.Add(None);
    }

    /// <summary>Whether those that were are to go.</summary>
    public bool IsNone(ParseResult parse) => parse.GetValue(this) is [None];

    /// <summary>All of them; adds a fault for each that is wrong.</summary>
    public IReadOnlyList<HostMount> Read(ParseResult parse, ICollection<Fault> faults)
    {
        var mounts = new List<HostMount>();
        foreach (var text in IsNone(parse) ? [] : parse.GetValue(this) ?? [])
        {
            if (HostMount.Parse(text, out var problem) is { } mount)
                mounts.Add(mount);
            else
                faults.Add(ValueFaults.Make("--mount", text, problem, "Write --mount ./src:/mnt/src, with ':ro' behind it if the guest is only to read."));
        }

        return mounts;
    }
}

namespace OpenShell.Vm.Snapshots;

/// <summary>What a start may begin with: the values of <see cref="Instances.InstanceConfig.Start"/>.</summary>
public static class StartKinds
{
    /// <summary>The memory of a suspended instance, for a new one a golden image; else its disk.</summary>
    public const string Auto = "auto";

    /// <summary>Memory only: a start that would have to boot fails and says why.</summary>
    public const string Resume = "resume";

    /// <summary>Its disk, whatever memory there is.</summary>
    public const string Boot = "boot";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Auto, Resume, Boot];
}

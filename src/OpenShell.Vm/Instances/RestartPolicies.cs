namespace OpenShell.Vm.Instances;

/// <summary>When an instance that ended by itself is started again. What its user stops stays stopped, and a start that fails is told and not repeated.</summary>
public static class RestartPolicies
{
    /// <summary>Never.</summary>
    public const string No = "no";

    /// <summary>When its machine was lost: a panic, a hang, a hypervisor that ended.</summary>
    public const string OnFailure = "on-failure";

    /// <summary>Also when its guest shut itself down.</summary>
    public const string Always = "always";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [No, OnFailure, Always];
}

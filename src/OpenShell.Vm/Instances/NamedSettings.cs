namespace OpenShell.Vm.Instances;

/// <summary>Settings whose usual value can be asked for by name (<c>--hypervisor auto</c>, <c>--mount none</c>): the value alone does not tell whether it was.</summary>
[Flags]
public enum NamedSettings
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary><see cref="InstanceConfig.Hypervisor"/>.</summary>
    Hypervisor = 1,

    /// <summary><see cref="InstanceConfig.Network"/>.</summary>
    Network = 2,

    /// <summary><see cref="InstanceConfig.Mounts"/>.</summary>
    Mounts = 4,

    /// <summary><see cref="InstanceConfig.IdleSuspend"/>.</summary>
    IdleSuspend = 8,

    /// <summary><see cref="InstanceConfig.Proxy"/>.</summary>
    Proxy = 16,
}

using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Uninstalling;

/// <summary>A process that has something of this program's in use.</summary>
/// <param name="Name">What, for a person: an instance's name, or that of the folder of a program's machine or of a bake.</param>
/// <param name="Process">Who.</param>
/// <param name="IsInstance">Whether it is an instance that runs, and can be stopped by its name.</param>
public sealed record Holding(string Name, ProcessIdentity Process, bool IsInstance);

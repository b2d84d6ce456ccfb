namespace OpenShell.Vm.Uninstalling;

/// <summary>One thing that this program has put on the host.</summary>
/// <param name="What">For a person: <c>instance default</c>, <c>image cache</c>.</param>
/// <param name="Path">Where it is; for an entry in a file of somebody else, that file.</param>
/// <param name="Bytes">What it takes on the disk.</param>
public sealed record Belonging(string What, string Path, long Bytes);

namespace OpenShell.Gateway.Cli.Json;

/// <summary>What a merge of a kubeconfig did, or its opposite.</summary>
internal sealed record MergeView(string Name, IReadOnlyList<string> Files, string Context, bool Merged, bool Current);

/// <summary>The disk of an instance, in bytes; without sizes it has none yet, or <c>problem</c> says what is wrong with it.</summary>
internal sealed record DiskView(string Name, long? Limit, long? Used, long? Allocated, long? Shared, long? Memory, IReadOnlyList<string> Clones, FaultView? Problem);

/// <summary>What starts an instance at login.</summary>
internal sealed record ServiceView(string Name, string Service, bool Installed, bool Enabled, string? Active, IReadOnlyList<string> Paths);

/// <summary>All that there is of this program, and what still runs of it.</summary>
internal sealed record UninstallView(bool Removed, long Bytes, IReadOnlyList<Vm.Uninstalling.Belonging> Belongings, IReadOnlyList<string> Running);

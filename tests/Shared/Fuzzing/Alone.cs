namespace OpenShell.Tests.Fuzzing;

/// <summary>While these tests run no other does: what they count of this process's memory is theirs.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;

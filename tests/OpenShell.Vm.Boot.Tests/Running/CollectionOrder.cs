using Xunit.Sdk;
using Xunit.v3;

namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>
/// The order of the collections: quick ones first, then what most depends on, so that a run without time for all (<see cref="Requirements"/>) ends with what says most, and always with the same.
/// </summary>
public sealed class CollectionOrder : ITestCollectionOrderer
{
    // Parts of names: of collections, or of the one class in them.
    private static readonly string[] First = [".Programs.", ".Usage.", ".Supervision.", ".Damage.", ".Kernels.", "KillMatrixTests", "GoldenTests", "suspended memories", "TestClusterTests", "cluster"], Last = ["stand-in", "air-gap", ".Arm64."];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Rank(collection.TestCollectionDisplayName)).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];

    private static int Rank(string name)
    {
        if (Array.FindIndex(First, part => name.Contains(part, StringComparison.Ordinal)) is >= 0 and var early)
            return early;
        return First.Length + Math.Max(0, 1 + Array.FindIndex(Last, part => name.Contains(part, StringComparison.Ordinal)));
    }
}

using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace OpenShell.Vm.Tests.Guests;

/// <summary>Every route to the guest.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CombinatorialRoutesAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([new TheoryDataRow<Route>(Route.Direct), new TheoryDataRow<Route>(Route.Broker)]);

    public override bool SupportsDiscoveryEnumeration() => true;
}

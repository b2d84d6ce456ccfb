using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>One thing that <c>gateway doctor</c> looks at. Adding one is a file and a line in <see cref="HostChecks"/>.</summary>
internal interface IHostCheck
{
    /// <summary>What it looks at.</summary>
    string Name { get; }

    /// <summary>Looks at it; changes nothing.</summary>
    Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken);
}

/// <summary>The checks in the order in which they are shown.</summary>
internal static class HostChecks
{
    public static IReadOnlyList<IHostCheck> All { get; } =
    [
        new PackagesCheck(),
        new VirtualizationCheck(),
        new MemoryCheck(),
        new FoldersCheck(),
        new RightsCheck(),
        new ImagesCheck(),
        new PortsCheck(),
        new InstancesCheck(),
        new RemainsCheck(),
        new ClockCheck(),
        new ProxyCheck(),
        new LimitsCheck(),
        new ConfinementCheck(),
    ];

    /// <summary>Runs all of them.</summary>
    public static async Task<IReadOnlyList<CheckResult>> RunAllAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var results = new List<CheckResult>();
        foreach (var check in All)
            results.AddRange(await RunAsync(check, context, cancellationToken));
        return results;
    }

    /// <summary>Runs one; a check that cannot be made is a finding too.</summary>
    private static async Task<IReadOnlyList<CheckResult>> RunAsync(IHostCheck check, CommandContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await check.RunAsync(context, cancellationToken);
        }
        catch (FaultException e)
        {
            return [.. e.Faults.Select(f => new CheckResult(check.Name, CheckState.Failed, f.What, f.Remedy))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [new CheckResult(check.Name, CheckState.Failed, e.Message)];
        }
    }
}

namespace OpenShell.Vm.Guest.Services;

/// <summary>Finds the mistakes in descriptions of services before the first is started: each would otherwise be a boot that waits for ever.</summary>
internal static class ServiceGraph
{
    /// <summary>Checks names and conditions.</summary>
    /// <exception cref="ArgumentException">What is wrong, by name.</exception>
    public static void Check(IReadOnlyList<Service> services)
    {
        var byName = new Dictionary<string, Service>();
        foreach (var service in services)
        {
            if (!byName.TryAdd(service.Name, service))
                throw new ArgumentException($"Two services are named {service.Name}.", nameof(services));
        }

        foreach (var service in services)
            Visit(service, [], byName);
    }

    private static void Visit(Service service, List<string> path, Dictionary<string, Service> byName)
    {
        if (path.Contains(service.Name))
            throw new ArgumentException($"Services wait for one another: {string.Join(" -> ", [.. path, service.Name])}.", nameof(service));
        foreach (var healthy in service.Conditions.OfType<Condition.Healthy>())
        {
            var needed = byName.GetValueOrDefault(healthy.Service)
                ?? throw new ArgumentException($"{service.Name} waits for {healthy.Service}, which does not exist.", nameof(service));
            Visit(needed, [.. path, service.Name], byName);
        }
    }
}

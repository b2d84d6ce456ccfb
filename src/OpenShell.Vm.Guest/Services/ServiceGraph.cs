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
        foreach (var condition in service.Conditions)
        {
            if (condition is not (Condition.Healthy or Condition.Answering))
                continue;
            var name = condition is Condition.Healthy healthy ? healthy.Service : ((Condition.Answering)condition).Service;
            var needed = byName.GetValueOrDefault(name) ?? throw new ArgumentException($"{service.Name} waits for {name}, which does not exist.", nameof(service));
            Visit(needed, [.. path, service.Name], byName);
        }
    }
}

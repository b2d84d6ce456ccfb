namespace OpenShell.Vm.Guest.Services;

/// <summary>All services: started together, each when its conditions hold; stopped in the reverse of what they need from one another.</summary>
internal sealed class ServiceManager : IDisposable
{
    private static readonly TimeSpan RotateEvery = TimeSpan.FromMinutes(1);

    private readonly List<ServiceRunner> _runners = [];
    private readonly ServiceContext _context;
    private Timer? _rotation;

    /// <summary>A manager of no services.</summary>
    public ServiceManager(ServiceContext context) => _context = context;

    /// <summary>What holds by now.</summary>
    public ConditionBoard Board => _context.Board;

    /// <summary>Starts services; returns at once.</summary>
    /// <exception cref="ArgumentException">One waits for a service that does not exist, or they wait for one another: a defect in their descriptions.</exception>
    public void Start(IReadOnlyList<Service> services)
    {
        ServiceGraph.Check(services);
        foreach (var service in services)
            _runners.Add(new ServiceRunner(service, _context));
        foreach (var runner in _runners)
            runner.Start();
        _rotation = new Timer(_ => _runners.ForEach(r => r.Log.Rotate()), null, RotateEvery, RotateEvery);
    }

    /// <summary>Waits until all of them have been healthy once.</summary>
    public Task HealthyAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_runners.Select(r => Board.WaitAsync(new Condition.Healthy(r.Service.Name), cancellationToken)));

    /// <summary>Has a service read its configuration anew by a signal; one that is not yet healthy gets it when it is.</summary>
    public void Signal(string name, int signal) => Find(name).Signal(signal);

    /// <summary>The same for a service that this machine may not have.</summary>
    /// <returns>Whether it has.</returns>
    public bool TrySignal(string name, int signal)
    {
        var runner = _runners.Find(r => r.Service.Name == name);
        runner?.Signal(signal);
        return runner is not null;
    }

    /// <summary>Ends a service and starts it again at once, for a configuration that it only reads at its start. That is no failure.</summary>
    public void Replace(string name) => Find(name).Replace();

    /// <inheritdoc/>
    public void Dispose()
    {
        _rotation?.Dispose();
        _runners.ForEach(r => r.Dispose());
    }

    private ServiceRunner Find(string name) => _runners.Single(r => r.Service.Name == name);

    /// <summary>Stops those whose <see cref="Service.StopOrder"/> lies in a range, lowest first, equal ones together.</summary>
    public async Task StopAsync(int from, int to)
    {
        foreach (var group in _runners.Where(r => r.Service.StopOrder >= from && r.Service.StopOrder <= to).GroupBy(r => r.Service.StopOrder).OrderBy(g => g.Key))
            await Task.WhenAll(group.Select(r => r.StopAsync())).ConfigureAwait(false);
    }

    /// <summary>Kills those of a range of <see cref="Service.StopOrder"/>, without waiting for them: when <see cref="StopAsync"/> took too long.</summary>
    public void Kill(int from, int to)
    {
        foreach (var runner in _runners.Where(r => r.Service.StopOrder >= from && r.Service.StopOrder <= to))
            runner.Kill();
    }
}

using System.Collections.Concurrent;
using System.Globalization;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>How long the steps of PID 1's own work took; they overlap. Told to the host as the detail of stage <c>init</c>.</summary>
internal sealed class PhaseTimes
{
    private readonly ConcurrentQueue<(string Name, long Nanoseconds)> _phases = new();

    /// <summary>Measures until the result is disposed.</summary>
    public Phase Measure(string name) => new(this, name, Uptime.Nanoseconds);

    /// <summary>All of them, in the order in which they ended: <c>mounts 0.03 s, agent 0.11 s</c>.</summary>
    public override string ToString() =>
        string.Join(", ", _phases.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Name} {p.Nanoseconds / 1e9:0.00} s")));

    /// <summary>One step under way.</summary>
    internal readonly struct Phase(PhaseTimes times, string name, long start) : IDisposable
    {
        /// <summary>It is done.</summary>
        public void Dispose() => times._phases.Enqueue((name, Uptime.Nanoseconds - start));
    }
}

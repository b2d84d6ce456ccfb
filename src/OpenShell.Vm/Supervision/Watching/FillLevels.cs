namespace OpenShell.Vm.Supervision.Watching;

/// <summary>
/// How far something has filled up, in levels of what is left. Each level is told once when it is fallen below; it counts as left only when there is clearly more again, so that a value that
/// swings around it is not told each time.
/// </summary>
/// <param name="levels">What is left at each, falling.</param>
/// <param name="margin">How much more than that must be left again, as a part of it.</param>
internal sealed class FillLevels(IReadOnlyList<double> levels, double margin)
{
    /// <summary>How many levels it is below: 0 for enough.</summary>
    internal int Level { get; private set; }

    /// <summary>Takes what is left now.</summary>
    /// <returns>The level if it is another than before, else <see langword="null"/>.</returns>
    internal int? Take(double left)
    {
        var below = levels.Count(level => left < level);
        var stillBelow = levels.Count(level => left < level * (1 + margin));
        var now = below > Level ? below : Math.Min(Level, stillBelow);
        if (now == Level)
            return null;
        Level = now;
        return now;
    }
}

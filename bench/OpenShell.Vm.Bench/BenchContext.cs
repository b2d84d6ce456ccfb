namespace OpenShell.Vm.Bench;

/// <summary>What every benchmark is given.</summary>
/// <param name="Home">Folders of its own, with the real image cache.</param>
/// <param name="Runs">How often, if the user said so.</param>
/// <param name="Say">Tells the user what is being done.</param>
internal sealed record BenchContext(BenchHome Home, int? Runs, Action<string> Say);

/// <summary>A benchmark cannot go on; the message is for the user.</summary>
internal sealed class BenchException(string message) : Exception(message);

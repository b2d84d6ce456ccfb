namespace OpenShell.Vm.Readiness;

/// <summary>Something that a start waits for.</summary>
/// <param name="Stage">The boot stage that it ends.</param>
/// <param name="WaitsFor">What is waited for, for a sentence: <c>the Kubernetes node to be Ready</c>.</param>
/// <param name="Hint">What to look at when it does not come.</param>
/// <param name="Budget">How long it may take with hardware virtualization, after the gate before it.</param>
/// <param name="EmulatedBudget">The same under software emulation on a busy machine.</param>
internal sealed record ReadinessGate(string Stage, string WaitsFor, string Hint, TimeSpan Budget, TimeSpan EmulatedBudget);

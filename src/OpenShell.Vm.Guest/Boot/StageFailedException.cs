namespace OpenShell.Vm.Guest.Boot;

/// <summary>A stage of the boot failed, and the host has been told so: what remains is to go no further.</summary>
internal sealed class StageFailedException(string stage, Exception cause) : Exception($"stage {stage} failed: {cause.Message}", cause);

namespace OpenShell.Vm.Upkeep;

/// <summary>Something that a killed process left on the host, and that is nobody's any more.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">Where it is.</param>
/// <param name="Why">How that is known, for a person.</param>
/// <param name="Instance">Whose it was; <see langword="null"/>: no instance's.</param>
public sealed record StaleRemain(RemainKind Kind, string Path, string Why, string? Instance = null);

/// <summary>What can be left.</summary>
public enum RemainKind
{
    /// <summary>The folder of a machine that ran one program.</summary>
    ProgramFolder,

    /// <summary>A folder that was to become an instance, or had been one.</summary>
    AsideFolder,

    /// <summary>The sockets of an instance.</summary>
    Sockets,

    /// <summary>A lock file that names a process which has ended.</summary>
    Lock,
}

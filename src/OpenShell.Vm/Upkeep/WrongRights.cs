namespace OpenShell.Vm.Upkeep;

/// <summary>A file or folder whose owner or mode is not what it should be.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Why">What is wrong, for a person.</param>
/// <param name="Mode">What its mode should be; <see langword="null"/>: this user cannot change that, or it belongs to something that runs.</param>
/// <param name="Remedy">What the user can do, where there is no <paramref name="Mode"/>.</param>
/// <param name="Prevents">Whether an instance cannot be started like that.</param>
public sealed record WrongRights(string Path, string Why, UnixFileMode? Mode, string? Remedy, bool Prevents);

using System.Text.RegularExpressions;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Building;

/// <summary>A package that NuGet's sources do not have, without which native code for the guest's processor cannot be compiled.</summary>
internal static partial class MissingPack
{
    /// <summary>The code of the fault.</summary>
    public const string Code = "image.pack-missing";

    /// <summary>The package that a line of a restore says is missing, with its version; <see langword="null"/>: the line says nothing of the kind.</summary>
    public static string? Of(string line) => Unfound().Match(line) is { Success: true } match
        ? match.Groups["version"] is { Success: true, Value: var version } ? $"{match.Groups["name"].Value} {version}" : match.Groups["name"].Value
        : null;

    /// <summary>What a user is told.</summary>
    public static FaultException Fault(string project, RecipeFacts facts, IReadOnlyCollection<string> packs, string log, Exception cause) => ImageFaults.Make(
        Code,
        $"{Path.GetFileName(project)} cannot be compiled for {facts.RuntimeIdentifier}: NuGet's package sources on this host do not have {string.Join(", ", packs)}.",
        facts.IsForeign
            ? $"nuget.org has them: build where it or a full mirror of it is reached, and then '{ImageFaults.BuildCommand} --arch {facts.Architecture} --refresh'. '--without-guest' builds all the rest."
            : $"nuget.org has them: build where it or a full mirror of it is reached, with '{ImageFaults.BuildCommand} --refresh'.",
        log,
        cause);

    // NU1101: "Unable to find package NAME. No packages exist with this id in source(s): ..."; NU1102: "Unable to find package NAME with version (= 1.2.3)".
    // https://learn.microsoft.com/nuget/reference/errors-and-warnings/nu1101 and nu1102
    [GeneratedRegex(@"error NU110[123]: Unable to find (?:a stable )?package (?<name>[A-Za-z0-9_.-]+?)(?:\. No packages| with version \((?:>?= ?)?(?<version>[^)\s]+)\))")]
    private static partial Regex Unfound();
}

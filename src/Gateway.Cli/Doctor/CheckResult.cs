using System.Text.Json.Serialization;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>What one check of the host found.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="State">How it is.</param>
/// <param name="Finding">What was found, with numbers.</param>
/// <param name="Remedy">What to do about it, if anything.</param>
internal sealed record CheckResult(string Name, CheckState State, string Finding, string? Remedy = null)
{
    /// <summary>What <c>--fix</c> can safely do about it; <see langword="null"/>: nothing, the user must.</summary>
    [JsonIgnore]
    public Repair? Repair { get; init; }

    /// <summary>The same in words.</summary>
    public string? Fix => Repair?.What;
}

/// <summary>How a check came out.</summary>
internal enum CheckState
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, but not as well as it could.</summary>
    Warning,

    /// <summary>It keeps 'gateway up' from working.</summary>
    Failed,
}

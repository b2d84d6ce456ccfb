namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>What one check of the host found.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="State">How it is.</param>
/// <param name="Finding">What was found, with numbers.</param>
/// <param name="Remedy">What to do about it, if anything.</param>
internal sealed record CheckResult(string Name, CheckState State, string Finding, string? Remedy = null);

/// <summary>How a check came out.</summary>
internal enum CheckState
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, but not as well as it could.</summary>
    Warning,

    /// <summary>It does not work.</summary>
    Failed,
}

namespace OpenShell.Vm.Mounts;

/// <summary>A folder of the host that the guest sees.</summary>
public sealed record HostMount
{
    /// <summary>What an instance with one cannot do: the folder's state is the host's, and no part of a memory image.</summary>
    public const string CannotDo = "no snapshots, and it cannot be suspended";

    /// <summary>The folder on the host: an absolute path.</summary>
    public required string HostPath { get; init; }

    /// <summary>Where the guest sees it: an absolute path.</summary>
    public required string GuestPath { get; init; }

    /// <summary>Whether the guest may only read it.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Such as <c>/home/me/src -> /mnt/src, read-only</c>.</summary>
    public string Text() => $"{HostPath} -> {GuestPath}{(ReadOnly ? ", read-only" : "")}";

    /// <summary>As it is asked for.</summary>
    public string Option() => $"--mount {HostPath}:{GuestPath}{(ReadOnly ? ":ro" : "")}";

    /// <summary><c>HOST:GUEST[:ro]</c>.</summary>
    /// <param name="text">What was written. A relative HOST is one of the current folder.</param>
    /// <param name="problem">Why it is no mount.</param>
    public static HostMount? Parse(string text, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        problem = "it is not of the form HOST:GUEST";
        var readOnly = text.EndsWith(":ro", StringComparison.Ordinal);
        var bare = readOnly || text.EndsWith(":rw", StringComparison.Ordinal) ? text[..^3] : text;

        // From behind: a folder of the host may have a colon in its name, one of the guest may not.
        var at = bare.LastIndexOf(':');
        if (at <= 0)
            return null;
        var guest = bare[(at + 1)..];
        if (!guest.StartsWith('/'))
        {
            problem = $"'{guest}' is not an absolute path in the guest";
            return null;
        }

        var host = Path.GetFullPath(bare[..at]);
        return new HostMount { HostPath = host.Length > 1 ? host.TrimEnd('/') : host, GuestPath = guest.Length > 1 ? guest.TrimEnd('/') : guest, ReadOnly = readOnly };
    }
}

using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Debian;

/// <summary>Debian as this host reaches it: the mirrors of its own apt, asked for whichever suite is needed.</summary>
internal sealed record DebianArchive
{
    /// <summary>Names the mirror where the host's apt has none of Debian.</summary>
    public const string MirrorVariable = "OPENSHELL_VM_DEBIAN_MIRROR";

    private const string DebianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

    private static readonly string[] Releases = ["bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"];

    /// <summary>Where releases and their updates come from.</summary>
    public required AptSource Main { get; init; }

    /// <summary>Where security updates come from, if the host has them configured.</summary>
    public AptSource? Security { get; init; }

    /// <summary>By the host's apt configuration, or by <see cref="MirrorVariable"/>.</summary>
    public static DebianArchive OfHost(IReadOnlyList<AptSource>? sources = null)
    {
        sources ??= AptSources.OfHost();
        var security = sources.FirstOrDefault(s => s.Types.Contains("deb") && s.Components.Contains("main") && s.Suite.EndsWith("-security", StringComparison.Ordinal));
        var main = Environment.GetEnvironmentVariable(MirrorVariable) is { Length: > 0 } mirror
            ? new AptSource(["deb"], mirror.TrimEnd('/'), "bookworm", ["main"], new Dictionary<string, string>())
            : sources.FirstOrDefault(s => s.Types.Contains("deb") && s.Components.Contains("main") && Releases.Contains(s.Suite));
        return main is not null
            ? new DebianArchive { Main = main, Security = security }
            : throw ImageFaults.Make(
                "image.no-debian-mirror",
                "The apt sources of this host name no mirror of Debian.",
                $"Add one to /etc/apt/sources.list.d, or set {MirrorVariable} to the address of one.");
    }

    /// <summary>The lines of a <c>sources.list</c> for one suite with its updates; backports only where asked for by name.</summary>
    public IReadOnlyList<string> Lines(string suite, bool source = false)
    {
        var type = source ? "deb-src" : "deb";
        var release = suite.EndsWith("-backports", StringComparison.Ordinal) ? suite[..^"-backports".Length] : suite;
        if (release is "sid" or "unstable")
            return [Line(Main, release)]; // it is updated in place
        var lines = new List<string> { Line(Main, release), Line(Main, release + "-updates") };
        if (release != suite)
            lines.Add(Line(Main, suite));
        if (Security is not null)
            lines.Add(Line(Security, release + "-security"));
        return lines;

        string Line(AptSource at, string of) => $"{type} {Options(at)}{at.Uri} {of} main";
    }

    private static string Options(AptSource source)
    {
        var options = source.Options.Select(o => $"{o.Key}={o.Value}").ToList();
        if (!source.Options.ContainsKey("signed-by") && File.Exists(DebianKeyring))
            options.Add("signed-by=" + DebianKeyring);
        return options.Count > 0 ? $"[{string.Join(' ', options)}] " : "";
    }
}

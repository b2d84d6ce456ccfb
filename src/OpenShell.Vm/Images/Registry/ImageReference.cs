using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.RegularExpressions;

namespace OpenShell.Vm.Images.Registry;

/// <summary>
/// The name of an image in a registry, <c>[HOST[:PORT]/]NAME[:TAG][@sha256:...]</c>, with the defaults that users of Docker expect
/// (https://github.com/distribution/reference/blob/main/reference.go).
/// </summary>
internal sealed partial record ImageReference
{
    /// <summary>Where a name without host leads.</summary>
    public const string Hub = "docker.io";

    // Docker Hub's registry is not where its name says.
    private const string HubRegistry = "registry-1.docker.io", HubAlias = "index.docker.io", DefaultTag = "latest";
    private const int LongestRepository = 255;

    /// <summary>As in the reference, with its port: <c>docker.io</c>, <c>127.0.0.1:5000</c>.</summary>
    public required string Host { get; init; }

    /// <summary>The name within the registry: <c>library/debian</c>.</summary>
    public required string Repository { get; init; }

    /// <summary>The tag; <see langword="null"/>: only the digest counts.</summary>
    public string? Tag { get; init; }

    /// <summary><c>sha256:...</c>, where the reference has one: it wins over the tag.</summary>
    public string? Digest { get; init; }

    /// <summary><c>http</c> or <c>https</c>, where the user has said so.</summary>
    public string? Scheme { get; init; }

    /// <summary>Whether the user has allowed that nothing is encrypted.</summary>
    public bool AllowsPlainHttp => Scheme == Uri.UriSchemeHttp;

    /// <summary>The registry's address: encrypted, but on this machine.</summary>
    public Uri Registry
    {
        get
        {
            var host = Host is Hub or HubAlias ? HubRegistry : Host;
            return new Uri($"{Scheme ?? (IsLoopback(host) ? Uri.UriSchemeHttp : Uri.UriSchemeHttps)}://{host}/");
        }
    }

    /// <summary>What is asked for: the digest, or the tag.</summary>
    public string Wanted => Digest ?? Tag!;

    /// <summary>Reads a reference; <paramref name="why"/> is what is wrong with it.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out string? why)
    {
        (reference, why) = Parse(text);
        return reference is not null;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{(Scheme is null ? "" : Scheme + "://")}{Host}/{Repository}{(Tag is null ? "" : ":" + Tag)}{(Digest is null ? "" : "@" + Digest)}";

    private static (ImageReference? Reference, string? Why) Parse(string text)
    {
        var rest = text;
        string? scheme = null;
        foreach (var known in (string[])[Uri.UriSchemeHttp, Uri.UriSchemeHttps])
        {
            if (rest.StartsWith(known + "://", StringComparison.OrdinalIgnoreCase))
                (scheme, rest) = (known, rest[(known.Length + 3)..]);
        }

        string? digest = null;
        if (rest.IndexOf('@', StringComparison.Ordinal) is var at and >= 0)
        {
            (digest, rest) = (rest[(at + 1)..], rest[..at]);
            if (!IsDigest(digest))
                return (null, $"'{digest}' is no digest of the form sha256:64 hexadecimal digits");
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : rest[..slash];

        // The first part is a host if it looks like one: this is how docker.io/library is told from a user's name.
        var hasHost = slash > 0 && (scheme is not null || first.AsSpan().ContainsAny('.', ':') || first == "localhost" || first.Any(char.IsAsciiLetterUpper));
        var host = hasHost ? first : Hub;
        if (scheme is not null && !hasHost)
            return (null, "it names no repository behind the host");
        if (!HostPattern().IsMatch(host) || !Uri.TryCreate("https://" + host + "/", UriKind.Absolute, out _))
            return (null, $"'{host}' is no host");
        var name = hasHost ? rest[(slash + 1)..] : rest;
        string? tag = null;
        if (name.LastIndexOf(':') is var colon and >= 0)
        {
            (tag, name) = (name[(colon + 1)..], name[..colon]);
            if (!TagPattern().IsMatch(tag))
                return (null, $"'{tag}' is no tag");
        }

        host = host == HubAlias ? Hub : host;
        if (host == Hub && !name.Contains('/', StringComparison.Ordinal))
            name = "library/" + name;
        if (name.Length > LongestRepository || !RepositoryPattern().IsMatch(name))
            return (null, $"'{name}' is no name of a repository: lower-case letters, digits, and . _ - between them");
        return (new ImageReference { Scheme = scheme, Host = host, Repository = name, Tag = tag ?? (digest is null ? DefaultTag : null), Digest = digest }, null);
    }

    /// <summary>Whether a text is a digest that can be verified here.</summary>
    public static bool IsDigest(string? text) => text is not null && DigestPattern().IsMatch(text);

    private static bool IsLoopback(string host)
    {
        var name = new Uri("https://" + host + "/").Host.Trim('[', ']');
        return name == "localhost" || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address));
    }

    [GeneratedRegex(@"^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\z")]
    private static partial Regex HostPattern();

    [GeneratedRegex(@"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex RepositoryPattern();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\z")]
    private static partial Regex TagPattern();

    [GeneratedRegex(@"^sha256:[0-9a-f]{64}\z")]
    private static partial Regex DigestPattern();
}

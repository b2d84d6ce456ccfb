using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace OpenShell.Vm.Images.Registry;

/// <summary>What a registry says when it wants to know who asks (RFC 9110, section 11.6.1; https://distribution.github.io/distribution/spec/auth/token/).</summary>
internal sealed partial record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    /// <summary>The challenges of an answer that can be met, tokens before passwords.</summary>
    public static IReadOnlyList<AuthenticationChallenge> Of(HttpResponseMessage answer) =>
        [.. answer.Headers.WwwAuthenticate.Select(Parse).Where(c => c.IsBearer || c.IsBasic).OrderBy(c => c.IsBearer ? 0 : 1)];

    private static AuthenticationChallenge Parse(AuthenticationHeaderValue header)
    {
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match match in Parameter().Matches(header.Parameter ?? ""))
            parameters[match.Groups[1].Value] = match.Groups[2].Success ? Escaped().Replace(match.Groups[2].Value, "$1") : match.Groups[3].Value;
        return new AuthenticationChallenge(header.Scheme, parameters);
    }

    [GeneratedRegex(@"([A-Za-z0-9_-]+)\s*=\s*(?:""((?:[^""\\]|\\.)*)""|([^\s,""]+))")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\\(.)")]
    private static partial Regex Escaped();
}

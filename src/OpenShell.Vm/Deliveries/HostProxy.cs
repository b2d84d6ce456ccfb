using OpenShell.Vm.Networking;

namespace OpenShell.Vm.Deliveries;

/// <summary>
/// The proxies of the host, as curl and others read them of the environment (https://everything.curl.dev/usingcurl/proxies/env.html: the names in lower case come first), and as the guest
/// must name them: what listens on the host's loopback is at another address there.
/// </summary>
public static class HostProxy
{
    /// <summary>What is never asked of a proxy: the guest, its networks, and names in the cluster.</summary>
    private static readonly string[] Inside = ["localhost", "127.0.0.0/8", "::1", "192.168.127.0/24", "10.42.0.0/16", "10.43.0.0/16", ".svc", ".cluster.local"];

    /// <summary>Reads the environment.</summary>
    /// <returns><see langword="null"/>: it names none.</returns>
    public static ProxyConfig? Read(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        var http = Of("http_proxy");
        var https = Of("https_proxy");
        return http is null && https is null ? null : new ProxyConfig { Http = http, Https = https, Except = Of("no_proxy") };

        string? Of(string name) => variable(name) is { Length: > 0 } lower ? lower : variable(name.ToUpperInvariant()) is { Length: > 0 } upper ? upper : null;
    }

    /// <summary>As the guest is told, and which addresses must be open for it (<c>192.168.127.254:3128</c>).</summary>
    /// <exception cref="FormatException">A proxy is no URL.</exception>
    public static (Protocol.Messages.GuestProxy Proxy, IReadOnlyList<string> Open) ForGuest(ProxyConfig proxy)
    {
        ArgumentNullException.ThrowIfNull(proxy);
        var open = new SortedSet<string>(StringComparer.Ordinal);
        return (
            new Protocol.Messages.GuestProxy { Http = Url(proxy.Http), Https = Url(proxy.Https), Except = string.Join(',', Inside.Concat((proxy.Except ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries)).Distinct()) },
            [.. open]);

        string? Url(string? text)
        {
            if (text is null)
                return null;
            var uri = Parse(text);
            if (!uri.IsLoopback)
                return text;
            open.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{GuestNetworkPlan.HostLoopback}:{uri.Port}"));
            return new UriBuilder(uri) { Host = GuestNetworkPlan.HostLoopback }.Uri.ToString().TrimEnd('/');
        }
    }

    /// <summary>Whether one of them listens on the host's loopback.</summary>
    public static bool IsOnLoopback(ProxyConfig proxy)
    {
        ArgumentNullException.ThrowIfNull(proxy);
        return new[] { proxy.Http, proxy.Https }.OfType<string>().Any(p => Parse(p).IsLoopback);
    }

    /// <summary>A proxy as a URL; without a scheme it is one of http.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Uri Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var full = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        return Uri.TryCreate(full, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "socks5" or "socks5h" && uri.Host.Length > 0 && uri.Port > 0
            ? uri
            : throw new FormatException($"'{text}' is no URL of a proxy");
    }
}

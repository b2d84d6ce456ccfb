using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Deliveries;

/// <summary>Proxies as variables. Both spellings: some programs read one, some the other (https://everything.curl.dev/usingcurl/proxies/env.html).</summary>
internal static class ProxyEnvironment
{
    /// <summary>The variables, <c>KEY=VALUE</c>.</summary>
    public static IReadOnlyList<string> Of(GuestProxy? proxy) =>
    [
        .. Both("HTTP_PROXY", proxy?.Http),
        .. Both("HTTPS_PROXY", proxy?.Https),
        .. Both("NO_PROXY", proxy?.Except),
    ];

    private static string[] Both(string name, string? value) => value is null ? [] : [$"{name}={value}", $"{name.ToLowerInvariant()}={value}"];
}

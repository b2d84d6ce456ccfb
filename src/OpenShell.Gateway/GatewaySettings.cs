using System.Globalization;
using System.Net;

namespace OpenShell.Gateway;

/// <summary>
/// Everything that can be set, with its default; each from one environment variable, as is the custom in a cluster. None of them starts
/// with <c>OPENSHELL_GATEWAY_</c>: Kubernetes itself sets such names (<c>OPENSHELL_GATEWAY_PORT=tcp://…</c>) for a service called openshell-gateway.
/// </summary>
internal sealed record GatewaySettings
{
    /// <summary><c>OPENSHELL_LISTEN_ADDRESS</c>: an IP literal to listen on; <see langword="null"/>: every address.</summary>
    public IPAddress? Address { get; init; }

    /// <summary><c>OPENSHELL_GRPC_PORT</c>: gRPC over mTLS.</summary>
    public int Port { get; init; } = 8443;

    /// <summary><c>OPENSHELL_PROBE_PORT</c>: <c>/livez</c> and <c>/readyz</c>, plain HTTP.</summary>
    public int ProbePort { get; init; } = 8081;

    /// <summary><c>OPENSHELL_TLS_CERT</c>: the server's certificate, and those behind it, in PEM.</summary>
    public string Certificate { get; init; } = "/etc/openshell/tls/tls.crt";

    /// <summary><c>OPENSHELL_TLS_KEY</c>: its key in PEM.</summary>
    public string Key { get; init; } = "/etc/openshell/tls/tls.key";

    /// <summary><c>OPENSHELL_TLS_CLIENT_CA</c>: the authorities of the clients, in PEM.</summary>
    public string ClientCa { get; init; } = "/etc/openshell/tls/ca.crt";

    /// <summary><c>OPENSHELL_NODE_NAME</c>: the node that the pod runs on, by the downward API.</summary>
    public string Node { get; init; } = "";

    /// <summary>How often the TLS files are looked at besides at each new connection.</summary>
    public TimeSpan TlsReload { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The API server, from the variables that every pod has; <see langword="null"/> outside of a cluster.</summary>
    public Uri? ApiServer { get; init; }

    /// <summary>Where the pod's service account is mounted.</summary>
    public string ServiceAccount { get; init; } = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Reads the environment.</summary>
    /// <param name="get">A variable by its name.</param>
    /// <param name="errors">Everything that is wrong, each with its variable; empty when all is well.</param>
    public static GatewaySettings From(Func<string, string?> get, out IReadOnlyList<string> errors)
    {
        var found = new List<string>();
        var defaults = new GatewaySettings();
        var settings = defaults with
        {
            Address = Address(),
            Port = Port("OPENSHELL_GRPC_PORT", defaults.Port),
            ProbePort = Port("OPENSHELL_PROBE_PORT", defaults.ProbePort),
            Certificate = Text("OPENSHELL_TLS_CERT") ?? defaults.Certificate,
            Key = Text("OPENSHELL_TLS_KEY") ?? defaults.Key,
            ClientCa = Text("OPENSHELL_TLS_CLIENT_CA") ?? defaults.ClientCa,
            Node = Text("OPENSHELL_NODE_NAME") ?? defaults.Node,
            ApiServer = ApiServer(),
        };
        if (settings.Port == settings.ProbePort)
            found.Add($"OPENSHELL_GRPC_PORT and OPENSHELL_PROBE_PORT are both {settings.Port}; give them different ports.");
        errors = found;
        return settings;

        string? Text(string name) => get(name) is { Length: > 0 } value ? value : null;

        IPAddress? Address()
        {
            if (Text("OPENSHELL_LISTEN_ADDRESS") is not { } text)
                return null;
            if (IPAddress.TryParse(text, out var address))
                return address;
            found.Add($"OPENSHELL_LISTEN_ADDRESS is '{text}'; give an IP address such as 127.0.0.1.");
            return null;
        }

        int Port(string name, int fallback)
        {
            if (Text(name) is not { } text)
                return fallback;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536)
                return port;
            found.Add($"{name} is '{text}'; give a port from 1 to 65535.");
            return fallback;
        }

        Uri? ApiServer()
        {
            if (Text("KUBERNETES_SERVICE_HOST") is not { } host || Text("KUBERNETES_SERVICE_PORT") is not { } port)
                return null;
            var authority = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
            if (Uri.TryCreate("https://" + authority, UriKind.Absolute, out var uri))
                return uri;
            found.Add($"KUBERNETES_SERVICE_HOST '{host}' and KUBERNETES_SERVICE_PORT '{port}' are no address; Kubernetes sets them for every pod.");
            return null;
        }
    }
}

namespace OpenShell.Vm.Guest.Services;

/// <summary>How to tell that a service does its work. Data; <see cref="HealthProbe"/> asks.</summary>
internal abstract record HealthCheck
{
    private HealthCheck()
    {
    }

    /// <summary>It runs: that is all one can know.</summary>
    public static HealthCheck Running { get; } = new Process();

    /// <summary>It runs.</summary>
    public sealed record Process : HealthCheck;

    /// <summary>It accepts connections on a Unix socket.</summary>
    public sealed record UnixSocket(string Path) : HealthCheck;

    /// <summary>It accepts connections on a port of loopback, or of the IPv4 address that is given.</summary>
    public sealed record Tcp(int Port, string Address = "127.0.0.1") : HealthCheck;

    /// <summary>It answers 200 to a plain HTTP request on loopback.</summary>
    public sealed record Http(int Port, string Path) : HealthCheck;

    /// <summary>It answers 200 to a plain HTTP request on a Unix socket.</summary>
    public sealed record UnixHttp(string Socket, string Path) : HealthCheck;

    /// <summary>It answers 200 to an HTTPS request on loopback.</summary>
    public sealed record Https(int Port, string Path) : HealthCheck;

    /// <summary>The API server answers 200, to us, by its certificate.</summary>
    public sealed record Api(string Path) : HealthCheck;
}

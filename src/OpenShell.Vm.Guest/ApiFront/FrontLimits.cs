namespace OpenShell.Vm.Guest.ApiFront;

/// <summary>What the API front lets callers take.</summary>
internal sealed record FrontLimits
{
    /// <summary>Connections at a time; further ones wait until one of them ends. kubectl opens one for a command, a controller a few.</summary>
    public int Connections { get; init; } = 256;

    /// <summary>How long a caller may take to show who it is, and the API server to answer: on an emulated machine that is busy, seconds.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the files are looked at when nobody calls.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When a caller that says nothing is asked whether it is still there, and how often, until it is given up after three questions.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that are passed on at a time: one record of TLS (RFC 8446, 5.1).</summary>
    public const int Buffer = 16 * 1024;
}

namespace OpenShell.Gateway.Grpc;

/// <summary>Every limit of this layer.</summary>
internal static class GrpcLimits
{
    /// <summary>One received message, in bytes: 4 MiB, the default of the other implementations, so that what works with them works here.</summary>
    public const int MaxMessage = 4 * 1024 * 1024;

    /// <summary>Digits of a <c>grpc-timeout</c> value, by its specification.</summary>
    public const int MaxTimeoutDigits = 8;

    /// <summary>Deadlines further away than this are as good as none: 24 days, what a timer can hold.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(24);

    /// <summary>A message behind <c>grpc-message</c>, in characters before encoding: clients need not take more than 8 KiB of trailers.</summary>
    public const int MaxStatusMessage = 1024;
}

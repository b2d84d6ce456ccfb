using System.Globalization;

namespace OpenShell.Gateway.Grpc;

/// <summary>The <c>grpc-timeout</c> header: at most eight digits and a unit, such as <c>250m</c> (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests).</summary>
internal static class GrpcTimeout
{
    /// <summary>Reads the header; <see langword="null"/> when there is none, or none worth a timer.</summary>
    /// <exception cref="GrpcException">It does not have that form.</exception>
    public static TimeSpan? Parse(string? header)
    {
        if (string.IsNullOrEmpty(header))
            return null;
        if (header.Length > GrpcLimits.MaxTimeoutDigits + 1
            || !long.TryParse(header.AsSpan(0, header.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            || TicksPer(header[^1]) is not { } ticks)
            throw new GrpcException(GrpcStatusCode.Internal, $"The grpc-timeout '{header}' is not a number of at most eight digits and one of H, M, S, m, u, n.");

        // Rounded up: a nanosecond must not turn into "no time at all", nor a fraction of a tick be lost. 99999999 hours fit in 64 bits.
        var timeout = TimeSpan.FromTicks((long)Math.Ceiling(value * ticks));
        return timeout > GrpcLimits.MaxTimeout ? null : timeout;
    }

    private static decimal? TicksPer(char unit) => unit switch
    {
        'H' => TimeSpan.TicksPerHour,
        'M' => TimeSpan.TicksPerMinute,
        'S' => TimeSpan.TicksPerSecond,
        'm' => TimeSpan.TicksPerMillisecond,
        'u' => TimeSpan.TicksPerMicrosecond,
        'n' => 1m / TimeSpan.NanosecondsPerTick,
        _ => null,
    };
}

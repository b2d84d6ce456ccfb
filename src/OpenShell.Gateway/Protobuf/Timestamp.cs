namespace OpenShell.Gateway.Protobuf;

/// <summary><c>google.protobuf.Timestamp</c>: seconds and nanoseconds since the Unix epoch (https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp).</summary>
internal sealed record Timestamp(long Seconds, int Nanos) : IProtoMessage<Timestamp>
{
    public static Timestamp From(DateTimeOffset time)
    {
        // Floors also before 1970: nanoseconds count forward.
        var (seconds, ticks) = Math.DivRem(time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks, TimeSpan.TicksPerSecond);
        return ticks < 0
            ? new Timestamp(seconds - 1, (int)((ticks + TimeSpan.TicksPerSecond) * TimeSpan.NanosecondsPerTick))
            : new Timestamp(seconds, (int)(ticks * TimeSpan.NanosecondsPerTick));
    }

    public static Timestamp Read(ref ProtoReader reader)
    {
        long seconds = 0, nanos = 0;
        for (int field; (field = reader.NextField()) != 0;)
        {
            switch (field)
            {
                case 1:
                    seconds = reader.Int64();
                    break;
                case 2:
                    nanos = reader.Int64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new Timestamp(seconds, (int)nanos);
    }

    public void Write(ProtoWriter writer)
    {
        writer.Int64(1, Seconds);
        writer.Int64(2, Nanos);
    }
}

using System.Text;
using System.Text.Json;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Timeline;

/// <summary><c>timeline.jsonl</c>: read whole, or followed while somebody writes it.</summary>
public static class TimelineFile
{
    /// <summary>All events; empty if there is no such file. A line cut short (the writer died in it) is left out.</summary>
    public static IReadOnlyList<TimelineEvent> Read(string path)
    {
        using var reader = new TimelineReader(path);
        return reader.ReadNew();
    }

    internal static byte[] ToLine(TimelineEvent happened) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(happened, InstanceJsonLines.Default.TimelineEvent), (byte)'\n'];
}

/// <summary>Reads a growing timeline piece by piece.</summary>
internal sealed class TimelineReader(string path) : IDisposable
{
    private readonly List<byte> _rest = [];
    private FileStream? _stream;

    /// <summary>The events whose lines have been completed since the last call.</summary>
    internal IReadOnlyList<TimelineEvent> ReadNew()
    {
        if (_stream is null)
        {
            if (!File.Exists(path))
                return [];
            _stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }

        var events = new List<TimelineEvent>();
        var buffer = new byte[8192];
        int count;
        while ((count = _stream.Read(buffer)) > 0)
        {
            foreach (var b in buffer.AsSpan(0, count))
            {
                if (b != (byte)'\n')
                {
                    _rest.Add(b);
                    continue;
                }

                if (Parse(_rest) is { } happened)
                    events.Add(happened);
                _rest.Clear();
            }
        }

        return events;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream?.Dispose();

    private static TimelineEvent? Parse(List<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(Encoding.UTF8.GetString([.. line]), InstanceJsonLines.Default.TimelineEvent);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

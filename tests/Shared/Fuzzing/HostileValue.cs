using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Tests.Fuzzing;

/// <summary>Payloads that are still what they should be, but for one value: bytes that are changed at random mostly are no JSON any more, and go no further than its reader.</summary>
internal static class HostileValue
{
    private const string Mark = "\u0001";

    /// <summary>For people, for paths and for names.</summary>
    private static readonly string[] Texts =
    [
        "", " ", "\u001b[2J\u001b]0;owned\u0007", "a\u009b31mb", "one\ntwo\r\nthree", "a\0b", "../../../outside", "..", "/", "/outside", "services/other", "shutdown/now",
        new('x', 5000), new('\u00e9', 20_000), "\u202eabc", "a: b", "- - -", "-----BEGIN CERTIFICATE-----", "https://192.0.2.1/",
    ];

    private static readonly string[] Json =
    [
        "null", "true", "0", "-1", "2147483648", "-2147483648", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e308", "-0.5", "[]", "{}", "[null]", "[[]]", "{\"a\":null}",
        new string('[', 70) + new string(']', 70), $"[{string.Join(',', Enumerable.Repeat("null", 3000))}]", "\"\\ud800\"", "\"\\u0000\"",
        .. Texts.Select(text => JsonSerializer.Serialize(text)),
    ];

    /// <summary>The payload of a frame with another value in it.</summary>
    public static byte[] In(RecordedFrame frame, Random random)
    {
        // The name of the service stays.
        var head = frame.Type == FrameType.Open && frame.Payload.Length > 0 ? 1 + frame.Payload[0] : 0;
        byte[] changed = [.. frame.Payload[..head], .. InJson(frame.Payload[head..], random) ?? InText(frame.Payload[head..], random)];
        return changed[..Math.Min(changed.Length, ProtocolLimits.MaxPayload)];
    }

    private static byte[]? InJson(byte[] payload, Random random)
    {
        try
        {
            var root = JsonNode.Parse(payload);
            var places = Places(root).ToList();
            if (places.Count == 0)
                return null;
            places[random.Next(places.Count)]();
            return Encoding.UTF8.GetBytes(root!.ToJsonString().Replace($"\"{JsonEncodedText.Encode(Mark)}\"", Json[random.Next(Json.Length)], StringComparison.Ordinal));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[] InText(byte[] payload, Random random)
    {
        var lines = Encoding.Latin1.GetString(payload).Split('\n');
        var at = random.Next(lines.Length);
        lines[at] = random.Next(3) switch
        {
            0 => lines[at] + Texts[random.Next(Texts.Length)],
            1 => lines[at][..(lines[at].Length / 2)],
            _ => Texts[random.Next(Texts.Length)],
        };
        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    /// <summary>Each puts the mark in the place of one value, or leaves one out.</summary>
    private static IEnumerable<Action> Places(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToList())
                {
                    yield return () => members[name] = Mark;
                    yield return () => members.Remove(name);
                    foreach (var place in Places(value))
                        yield return place;
                }

                break;
            case JsonArray items:
                yield return () => items.Add(Mark);
                for (var i = 0; i < items.Count; i++)
                {
                    var index = i;
                    yield return () => items[index] = Mark;
                    foreach (var place in Places(items[index]))
                        yield return place;
                }

                break;
        }
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenShell.Vm.Guest.Tests.Cluster.Dns;

/// <summary>Asks a name server one question (RFC 1035), by UDP or TCP, and reads the answers that these tests look at.</summary>
internal static class DnsQuery
{
    public const ushort A = 1, Pointer = 12, Service = 33;

    public const int NoError = 0, NoSuchName = 3, Refused = 5;

    /// <returns>The response code and the answers, in the order of their texts.</returns>
    public static async Task<(int Code, IReadOnlyList<string> Answers)> AskAsync(IPEndPoint server, string name, ushort type, bool tcp = false)
    {
        var question = new List<byte> { 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.'))
            question.AddRange([(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]);
        question.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        using var socket = tcp ? new Socket(SocketType.Stream, ProtocolType.Tcp) : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await socket.ConnectAsync(server, patience.Token);
        await socket.SendAsync(tcp ? [(byte)(question.Count >> 8), (byte)question.Count, .. question] : question.ToArray(), patience.Token);
        var answer = new byte[4096];
        var length = await socket.ReceiveAsync(answer, patience.Token);
        return Read(tcp ? answer[2..length] : answer[..length], question.Count);
    }

    private static (int Code, IReadOnlyList<string> Answers) Read(byte[] message, int at)
    {
        var answers = new List<string>();
        for (var left = Number(message, 6); left > 0; left--)
        {
            (_, at) = Name(message, at);
            var type = Number(message, at);
            var length = Number(message, at + 8);
            at += 10;
            answers.Add(type switch
            {
                A => new IPAddress(message.AsSpan(at, 4)).ToString(),
                Pointer => Name(message, at).Name,
                Service => $"{Number(message, at + 4)} {Name(message, at + 6).Name}",
                _ => $"type {type}",
            });
            at += length;
        }

        return (message[3] & 15, [.. answers.Order(StringComparer.Ordinal)]);
    }

    private static (string Name, int Next) Name(byte[] message, int at)
    {
        var labels = new List<string>();
        var next = -1;
        while (message[at] != 0)
        {
            if (message[at] >= 0xC0)
            {
                next = next < 0 ? at + 2 : next;
                at = Number(message, at) & 0x3FFF;
                continue;
            }

            labels.Add(Encoding.ASCII.GetString(message, at + 1, message[at]));
            at += 1 + message[at];
        }

        return (string.Join('.', labels), next < 0 ? at + 1 : next);
    }

    private static ushort Number(byte[] message, int at) => BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(at));
}

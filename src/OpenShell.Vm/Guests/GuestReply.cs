using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Guests;

/// <summary>What a guest answers, which may be anything: it is read by rules, and shown without what drives a terminal or makes lines of its own in a log.</summary>
internal static class GuestReply
{
    /// <summary>More of a list than that is nobody's business, and of one text.</summary>
    private const int MaxItems = 32, MaxLength = 300;

    /// <summary>Reads an answer.</summary>
    /// <exception cref="FaultException">It is none (<c>guest.invalid-answer</c>).</exception>
    internal static T Read<T>(ReadOnlySpan<byte> answer, JsonTypeInfo<T> type, string service)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(answer, type) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw Invalid($"The guest's answer to {service} cannot be read: {Text(e.Message)}", e);
        }
    }

    internal static FaultException Invalid(string what, Exception? cause = null) => new(
        new Fault { Code = "guest.invalid-answer", What = what, Remedy = "Restart the instance; if it says so again, build the image anew: 'gateway image build'." },
        cause);

    /// <summary>A text of the guest's, for a person.</summary>
    internal static string Text(string? text) => text is null ? "" : GuestFaults.Clean(text.Length <= MaxLength ? text : text[..MaxLength] + "...");

    /// <summary>Several.</summary>
    internal static IReadOnlyList<string> Texts(IReadOnlyList<string>? texts) => [.. (texts ?? []).Take(MaxItems).Select(Text)];

    /// <summary>As many as are taken of a list.</summary>
    internal static IEnumerable<T> Some<T>(IReadOnlyList<T>? items)
        where T : class => (items ?? []).Where(item => item is not null).Take(MaxItems);
}

using System.Diagnostics.CodeAnalysis;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Instances;

/// <summary>
/// The name of an instance: a DNS label (https://www.rfc-editor.org/rfc/rfc1123#section-2.1), since it becomes the guest's host name and
/// the Kubernetes node's name, and short, since it becomes part of socket paths (<see cref="InstanceFiles"/>).
/// </summary>
public sealed record InstanceName
{
    /// <summary>The instance that is meant when none is named.</summary>
    public const string Default = "default";

    /// <summary>Longest name in characters. A DNS label may have 63; the rest is room for prefixes and for socket paths.</summary>
    public const int MaxLength = 40;

    private const string Rule = "Use 1 to 40 lower-case letters, digits and hyphens, beginning and ending with a letter or digit, such as --name test-1.";

    private InstanceName(string value) => Value = value;

    /// <summary>The name itself.</summary>
    public string Value { get; }

    /// <summary>Checks a name.</summary>
    /// <exception cref="FaultException">It is not one; says why (<c>instance.name-invalid</c>).</exception>
    public static InstanceName Parse(string text) => TryParse(text, out var name, out var fault) ? name : throw new FaultException(fault);

    /// <summary>Checks a name without throwing.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out InstanceName? name, [NotNullWhen(false)] out Fault? fault)
    {
        ArgumentNullException.ThrowIfNull(text);
        fault = Problem(text) is { } problem
            ? new Fault { Code = "instance.name-invalid", What = $"The instance name {Quote(text)} {problem}.", Remedy = Rule, IsUsage = true }
            : null;
        name = fault is null ? new InstanceName(text) : null;
        return name is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static string? Problem(string text)
    {
        if (text.Length == 0)
            return "is empty";
        if (text.Length > MaxLength)
            return $"has {text.Length} characters, more than {MaxLength}";
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
                return $"contains {Describe(c)}";
        }

        return text[0] == '-' || text[^1] == '-' ? "begins or ends with a hyphen" : null;
    }

    private static string Describe(char c) => char.IsControl(c) || char.IsSurrogate(c) ? $"the character U+{(int)c:X4}" : $"'{c}'";

    // A name of 300 characters or one with control characters must not mess up the terminal.
    private static string Quote(string text)
    {
        var shown = text.Length > 48 ? string.Concat(text.AsSpan(0, 45), "...") : text;
        return "'" + string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c)) + "'";
    }
}

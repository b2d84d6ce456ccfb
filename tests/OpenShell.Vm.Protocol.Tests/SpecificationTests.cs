using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Protocol.Tests;

/// <summary>PROTOCOL.md says what the code does.</summary>
public sealed partial class SpecificationTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "PROTOCOL.md"));

    [Fact]
    public void The_limits_are_those_of_the_code() => Table("Limits", 1, 0).ShouldBe(
        typeof(ProtocolLimits).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.IsLiteral)
            .Select(field => ((long)(int)field.GetRawConstantValue()!, field.Name)),
        ignoreOrder: true);

    [Fact]
    public void The_codes_are_those_of_the_code() => Table("Codes", 0, 1).ShouldBe(
        Enum.GetValues<ProtocolCode>().Select(code => ((long)code, code.ToString())));

    [Fact]
    public void The_types_are_those_of_the_code() => Table("Frames", 0, 1).ShouldBe(
        Enum.GetValues<FrameType>().Select(type => ((long)type, type.ToString().ToUpperInvariant())));

    [Fact]
    public void The_kinds_are_those_of_the_code() => Table("Services", 0, 1).ShouldBe(
        typeof(MessageKinds).GetFields().Select(field => ((long)(byte)field.GetRawConstantValue()!, field.Name)));

    [Fact]
    public void Every_service_is_described()
    {
        var text = string.Join('\n', Lines);
        foreach (var field in typeof(ServiceNames).GetFields())
            text.ShouldContain($"**{field.GetRawConstantValue()}**");
    }

    /// <summary>Number and name of each row of a section's tables that has a number in that column.</summary>
    private static List<(long Number, string Name)> Table(string section, int number, int name) =>
    [
        .. Lines
            .SkipWhile(line => !Regex.IsMatch(line, $"^##+ {section}$"))
            .Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray())
            .Where(cells => Number().IsMatch(cells[number]))
            .Select(cells => (Parse(cells[number]), cells[name])),
    ];

    private static long Parse(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal) ? long.Parse(text[2..], NumberStyles.HexNumber) : long.Parse(text);

    [GeneratedRegex("^(0x[0-9a-f]+|[0-9]+)$")]
    private static partial Regex Number();
}

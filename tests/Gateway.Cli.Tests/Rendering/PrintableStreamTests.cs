using System.Text;
using OpenShell.Gateway.Cli.Terminals;

namespace OpenShell.Gateway.Cli.Tests.Rendering;

public sealed class PrintableStreamTests
{
    [Theory]
    [InlineData("plain\ttext\n", "plain\ttext\n")]
    [InlineData("dos\r\n", "dos\n")]
    [InlineData("\u001b[2J\u001bc", "^[[2J^[c")]
    [InlineData("bell\a, delete\u007f", "bell^G, delete^?")]
    [InlineData("one byte CSI \u009b2J", "one byte CSI ?2J")]
    [InlineData("é £ € stay", "é £ € stay")]
    public void Control_characters_are_shown_and_not_done(string written, string shown)
    {
        Show(written, wholly: true).ShouldBe(shown);
        Show(written, wholly: false).ShouldBe(shown);
    }

    private static string Show(string text, bool wholly)
    {
        using var terminal = new MemoryStream();
        using var stream = new PrintableStream(terminal);
        var bytes = Encoding.UTF8.GetBytes(text);
        if (wholly)
            stream.Write(bytes);
        else
            Array.ForEach(bytes, b => stream.Write([b]));
        return Encoding.UTF8.GetString(terminal.ToArray());
    }
}

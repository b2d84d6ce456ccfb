using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Tests.Rendering;

public sealed class UnitsTests
{
    [Theory]
    [InlineData(0, "0.00 s")]
    [InlineData(0.257, "0.26 s")]
    [InlineData(59.94, "59.9 s")]
    [InlineData(59.96, "1 min 00 s")]
    [InlineData(65, "1 min 05 s")]
    [InlineData(7380, "2 h 03 min")]
    public void Times_read_well(double seconds, string text) => Units.Time(TimeSpan.FromSeconds(seconds)).ShouldBe(text);

    [Theory]
    [InlineData(512, "512 B")]
    [InlineData(3_400_000, "3.4 MB")]
    [InlineData(1_200_000_000, "1.20 GB")]
    public void Sizes_read_well(long bytes, string text) => Units.Size(bytes).ShouldBe(text);

    [Theory]
    [InlineData("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64")]
    [InlineData("id=a,path=/x", "id=a,path=/x")]
    [InlineData("a b", "'a b'")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("", "''")]
    [InlineData("$HOME", "'$HOME'")]
    public void Words_are_quoted_as_a_shell_reads_them(string word, string quoted) => ShellQuote.Quote(word).ShouldBe(quoted);
}

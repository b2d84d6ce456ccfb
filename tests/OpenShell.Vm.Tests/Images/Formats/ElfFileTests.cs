using System.Text.RegularExpressions;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Tests.Images.Formats;

public sealed partial class ElfFileTests
{
    [Theory]
    [InlineData("/bin/bash")]
    [InlineData("/usr/bin/apt-get")]
    [InlineData("/usr/bin/perl")]
    public async Task A_program_needs_what_readelf_says(string program)
    {
        if (!File.Exists(program))
            Assert.Skip($"{program} is not on this host");
        var expected = Needed().Matches(await HostTool.RunAsync("readelf", ["-d", program])).Select(m => m.Groups[1].Value).ToList();

        var elf = ElfFile.Parse(await File.ReadAllBytesAsync(program, TestContext.Current.CancellationToken));

        elf.Needed.ShouldBe(expected);
        elf.Interpreter.ShouldBe((await HostTool.RunAsync("readelf", ["-l", program])).Split("interpreter: ")[1].Split(']')[0]);
    }

    [Fact]
    public void A_script_is_refused() => Should.Throw<InvalidDataException>(() => ElfFile.Parse("#!/bin/sh\n"u8));

    [Fact]
    public void A_program_that_is_cut_off_is_refused()
    {
        var bash = File.ReadAllBytes("/bin/bash");
        Should.Throw<InvalidDataException>(() => ElfFile.Parse(bash.AsSpan(0, 80)));
    }

    [GeneratedRegex(@"\(NEEDED\)\s+Shared library: \[(.+)\]")]
    private static partial Regex Needed();
}

using OpenShell.Vm.Kernels;
using OpenShell.Vm.Tests.Images;

namespace OpenShell.Vm.Tests.Kernels;

public sealed class KernelCheckTests
{
    [Fact]
    public void Every_capability_has_a_name_of_its_own_that_the_script_can_carry()
    {
        KernelCapabilities.All.Select(c => c.Name).ShouldBeUnique();
        KernelCapabilities.All.ShouldAllBe(c => c.Name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-'));
        KernelCapabilities.All.SelectMany(c => c.Options).ShouldAllBe(o => o.StartsWith("CONFIG_", StringComparison.Ordinal) && !o.Any(char.IsAsciiLetterLower));
    }

    [Fact]
    public async Task The_script_is_one_that_a_shell_accepts()
    {
        using var folder = new TemporaryFolder();
        folder.Write("check.sh", KernelCheck.Script(KernelCapabilities.All));
        await HostTool.RunAsync("sh", ["-n", folder.File("check.sh")]);
        foreach (var capability in KernelCapabilities.All)
        {
            folder.Write("test.sh", capability.Test);
            await HostTool.RunAsync("sh", ["-n", folder.File("test.sh")]);
        }
    }

    [Fact]
    public async Task The_script_says_what_works_and_why_the_rest_does_not()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("the check makes namespaces, which needs root");
        using var folder = new TemporaryFolder();
        KernelCapability[] all = [Made("good", "test 'a b' = \"a b\""), Made("bad", "echo first; echo \"it's no use\" >&2; false; echo never"), Made("silent", "exit 3")];
        folder.Write("check.sh", KernelCheck.Script(all));

        var report = KernelCheck.Read(all, await HostTool.RunAsync("sh", ["-s"], folder.File("check.sh")));

        report.Release.ShouldBe((await File.ReadAllTextAsync("/proc/sys/kernel/osrelease", TestContext.Current.CancellationToken)).Trim());
        report.Findings.Select(f => (f.Capability.Name, f.Works, f.Detail)).ShouldBe([("good", true, null), ("bad", false, "it's no use"), ("silent", false, null)]);
        report.Ok.ShouldBeFalse();
    }

    [Fact]
    public void A_check_that_broke_off_is_no_result() =>
        Should.Throw<InvalidDataException>(() => KernelCheck.Read([Made("one", "true"), Made("two", "true")], "release 6.12\nworks one\n")).Message.ShouldContain("two");

    [Fact]
    public void What_is_optional_may_be_missing() =>
        KernelCheck.Read([Made("one", "true") with { Required = false }], "release 6.12\nfails one sorry\n").Ok.ShouldBeTrue();

    [Fact]
    public void The_comparison_says_what_is_built_in_a_module_or_missing()
    {
        var capability = Made("one", "true") with { Options = ["CONFIG_A", "CONFIG_B"] };

        KernelMatrix.Cell(capability, KernelConfiguration.Parse("CONFIG_A=y\nCONFIG_B=y")).ShouldBe("yes");
        KernelMatrix.Cell(capability, KernelConfiguration.Parse("CONFIG_A=y\nCONFIG_B=m")).ShouldBe("module");
        KernelMatrix.Cell(capability, KernelConfiguration.Parse("CONFIG_A=y")).ShouldBe("no: B");
    }

    private static KernelCapability Made(string name, string test) => new() { Name = name, Purpose = "tests", Options = ["CONFIG_TEST"], Required = true, Test = test };
}

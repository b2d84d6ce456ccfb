using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Tests.Instances;

public sealed class InstanceNameTests
{
    [Theory]
    [InlineData("default")]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("test-1")]
    [InlineData("a--b")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")] // 40
    public void A_DNS_label_of_up_to_40_characters_is_a_name(string text) => InstanceName.Parse(text).Value.ShouldBe(text);

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("a/b", "contains '/'")]
    [InlineData("..", "contains '.'")]
    [InlineData("Test", "contains 'T'")]
    [InlineData("a b", "contains ' '")]
    [InlineData("-a", "begins or ends with a hyphen")]
    [InlineData("a-", "begins or ends with a hyphen")]
    [InlineData("ä", "contains 'ä'")]
    [InlineData("a\nb", "contains the character U+000A")]
    [InlineData("a\0", "contains the character U+0000")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "has 41 characters, more than 40")]
    public void Anything_else_is_refused_with_the_reason_and_the_rule(string text, string reason)
    {
        var fault = Should.Throw<FaultException>(() => InstanceName.Parse(text)).Faults.ShouldHaveSingleItem();
        fault.Code.ShouldBe("instance.name-invalid");
        fault.What.ShouldContain(reason);
        fault.Remedy.ShouldContain("--name");
        fault.IsUsage.ShouldBeTrue();
    }

    [Fact]
    public void A_name_of_300_characters_is_not_repeated_in_full()
    {
        var fault = Should.Throw<FaultException>(() => InstanceName.Parse(new string('x', 300))).Faults[0];
        fault.What.ShouldContain("300 characters");
        fault.What.Length.ShouldBeLessThan(160);
    }
}

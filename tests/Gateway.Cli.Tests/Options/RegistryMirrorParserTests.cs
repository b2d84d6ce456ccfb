using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Tests.Options;

public sealed class RegistryMirrorParserTests
{
    [Fact]
    public void A_mirror_has_an_upstream_a_URL_and_perhaps_more()
    {
        var faults = new List<Fault>();

        RegistryMirrorParser.ParseAll(["docker.io=https://m.example:5000/v2/", "*=http://n,skip-verify", "r:5000=https://m,ca=/a/ca.crt,auth=/a/auth"], faults).ShouldBe(
        [
            new RegistryMirror { Upstream = "docker.io", Url = "https://m.example:5000/v2" },
            new RegistryMirror { Upstream = "*", Url = "http://n", SkipVerify = true },
            new RegistryMirror { Upstream = "r:5000", Url = "https://m", CertificateAuthority = "/a/ca.crt", CredentialsFile = "/a/auth" },
        ]);

        faults.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("docker.io", "no '='")]
    [InlineData("=https://m", "no registry")]
    [InlineData("../../etc=https://m", "no registry")]
    [InlineData("docker.io=m:5000", "no http or https URL")]
    [InlineData("docker.io=https://", "no http or https URL")]
    [InlineData("docker.io=https://me:secret@m", "credentials")]
    [InlineData("docker.io=https://m,user=me", "'user=me'")]
    [InlineData("docker.io=https://m,ca=", "'ca='")]
    public void Anything_else_is_a_fault_that_shows_the_form(string text, string problem)
    {
        var faults = new List<Fault>();

        RegistryMirrorParser.ParseAll([text], faults).ShouldBeEmpty();

        faults.ShouldHaveSingleItem().What.ShouldContain(problem);
        faults[0].Remedy.ShouldContain("--registry-mirror UPSTREAM=URL");
    }

    [Fact]
    public void A_registry_has_one_mirror()
    {
        var faults = new List<Fault>();

        RegistryMirrorParser.ParseAll(["a=http://m", "a=http://n"], faults).Count.ShouldBe(1);

        faults.ShouldHaveSingleItem().What.ShouldContain("a has a mirror already");
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Tests.Images.Building;

namespace OpenShell.Vm.Tests.Images.Host;

public sealed class HostSetupTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_missing_is_what_dpkg_does_not_have()
    {
        if (RuntimeTools.FindProgram("dpkg-query") is null)
            Assert.Skip("this host has no dpkg");
        var missing = (await HostSetup.MissingAsync(Token)).Select(m => m.Package.Name).ToList();
        foreach (var package in HostPackages.All.Where(p => p.MinimumVersion is null && p.NeededFor.Any(n => !HostPackages.OnRequest.Contains(n))))
            (!Directory.EnumerateFiles("/var/lib/dpkg/info", package.Name + ".list").Concat(Directory.EnumerateFiles("/var/lib/dpkg/info", package.Name + ":*.list")).Any())
                .ShouldBe(missing.Contains(package.Name), package.Name);
    }

    [Fact]
    public async Task Versions_are_compared_as_Debian_orders_them()
    {
        if (RuntimeTools.FindProgram("dpkg") is null)
            Assert.Skip("this host has no dpkg");
        (await Dpkg.IsAtLeastAsync("1:10.0.2+ds-2~bpo12+1", "1:9.0", Token)).ShouldBeTrue();
        (await Dpkg.IsAtLeastAsync("1:7.2+dfsg-7", "1:9.0", Token)).ShouldBeFalse();
    }

    [Fact]
    public async Task An_ordinary_user_gets_the_one_command_to_type()
    {
        if (Environment.IsPrivilegedProcess)
            Assert.Skip("this test runs as root, who may install");
        var fault = (await Should.ThrowAsync<FaultException>(() => HostSetup.InstallAsync([new MissingPackage(HostPackages.All[0], null)], null, Token))).Faults[0];
        fault.Code.ShouldBe("setup.not-root");
        fault.Remedy.ShouldContain("sudo ./gateway setup");
        fault.What.ShouldContain(HostPackages.All[0].Name);
    }

    [Fact]
    public async Task Nothing_missing_is_nothing_to_do() => await HostSetup.InstallAsync([], new Reports(), Token);

    [Fact]
    public void Programs_are_found_in_sbin_too() => RuntimeTools.FindProgram("ldconfig").ShouldBe("/usr/sbin/ldconfig");
}

using System.Diagnostics;
using System.Xml.Linq;
using OpenShell.Vm.Faults;
using OpenShell.Vm.LoginServices;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.LoginServices;

public sealed class LoginServiceTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static readonly ServiceDescription Service = new()
    {
        Instance = "default",
        Command = ["/opt/my $tools 100%/gateway", "__supervise", "$default"],
        Environment = [KeyValuePair.Create("XDG_DATA_HOME", "/data/100% \"mine\" & <$HOME>")],
        Folder = "/data & more/instances/default",
    };

    private LoginService Systemd => new(_folder.Path, _folder.File("config"), launchd: false);

    private LoginService Launchd => new(_folder.Path, _folder.File("config"), launchd: true);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_systemd_unit_is_as_it_was_accepted() => GoldenFile.ShouldMatch("service-systemd.txt", SystemdUnit.Text(Service));

    [Fact]
    public void The_launch_agent_is_as_it_was_accepted()
    {
        GoldenFile.ShouldMatch("service-launchd.plist", LaunchAgent.Text(Service));

        // What is in it comes back as it was given.
        var strings = XDocument.Parse(LaunchAgent.Text(Service), LoadOptions.None).Descendants("string").Select(s => s.Value).ToList();
        strings.ShouldContain("/opt/my $tools 100%/gateway");
        strings.ShouldContain(Service.Environment[0].Value);
    }

    [Fact]
    public async Task Systemd_itself_finds_nothing_wrong_with_the_unit()
    {
        if (!File.Exists("/usr/bin/systemd-analyze"))
            Assert.Skip("systemd-analyze is missing (package systemd)");
        var program = _folder.File("my $tools ${HOME} 100%/gateway");
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        File.Copy("/bin/true", program);
        var text = SystemdUnit.Text(Service with { Command = [program, "__supervise", "default"] });

        // Where it cannot work at all (in a container, say), it says nothing of any unit.
        var (broken, saidOfBroken) = await ComplaintsAsync(text.Replace("[Service]\n", "[Service]\nNonsense=yes\n", StringComparison.Ordinal));
        Assert.SkipWhen(broken.Count == 0, $"systemd-analyze does not find what is wrong with a unit here: {saidOfBroken}");
        var (found, said) = await ComplaintsAsync(text);

        found.ShouldBeEmpty(said);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Removing_removes_exactly_what_was_installed(bool launchd)
    {
        var services = launchd ? Launchd : Systemd;
        var folder = Path.GetDirectoryName(services.FileOf("default"))!;
        Directory.CreateDirectory(folder + "/default.target.wants");
        File.WriteAllText(folder + "/mine.service", "mine");
        File.CreateSymbolicLink(folder + "/default.target.wants/mine.service", folder + "/mine.service");
        var before = Everything();

        services.Install(Service);
        services.Install(Service with { Instance = "other" });
        services.Install(Service);
        services.Instances().ShouldBe(["default", "other"]);
        services.StateOf("default").ShouldBe(new LoginServiceState(Installed: true, Enabled: true, Foreign: false));
        Everything().Except(before).Order().ShouldBe(services.PathsOf("default").Concat(services.PathsOf("other")).Order());

        services.Remove("default").Order().ShouldBe(services.PathsOf("default").Order());
        services.Remove("default").ShouldBeEmpty();
        services.Remove("other");
        Everything().ShouldBe(before);
        services.StateOf("default").Installed.ShouldBeFalse();
    }

    [Fact]
    public void What_was_switched_off_by_hand_says_so()
    {
        Systemd.Install(Service);
        File.Delete(Systemd.PathsOf("default")[1]);
        Systemd.StateOf("default").ShouldBe(new LoginServiceState(Installed: true, Enabled: false, Foreign: false));
    }

    [Fact]
    public void A_file_of_somebody_else_is_neither_replaced_nor_removed()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Systemd.FileOf("default"))!);
        File.WriteAllText(Systemd.FileOf("default"), "[Service]\n");

        Should.Throw<FaultException>(() => Systemd.Install(Service)).Faults[0].Code.ShouldBe("service.foreign");
        Should.Throw<FaultException>(() => Systemd.Remove("default")).Faults[0].Code.ShouldBe("service.foreign");
        Systemd.StateOf("default").Foreign.ShouldBeTrue();
        Systemd.Instances().ShouldBeEmpty();
        File.ReadAllText(Systemd.FileOf("default")).ShouldBe("[Service]\n");
    }

    [Theory]
    [InlineData("/opt/it's mine/gateway", false)]
    [InlineData("/opt/\"mine\"/gateway", false)]
    [InlineData("/opt/back\\slash/gateway", false)]
    [InlineData("/opt/line\nfeed/gateway", false)]
    [InlineData("/opt/line\nfeed/gateway", true)]
    public void A_path_that_the_service_manager_does_not_take_is_refused_and_nothing_is_written(string program, bool launchd)
    {
        var fault = Should.Throw<FaultException>(() => (launchd ? Launchd : Systemd).Install(Service with { Command = [program, "__supervise", "default"] })).Faults.ShouldHaveSingleItem();

        fault.Code.ShouldBe("service.path");
        fault.What.ShouldNotContain("\n");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_service_is_known_by_the_folder_of_its_instance(bool launchd)
    {
        var services = launchd ? Launchd : Systemd;
        services.IsOf("default", Service.Folder).ShouldBeFalse();
        services.Install(Service);

        services.IsOf("default", Service.Folder).ShouldBeTrue();
        services.IsOf("default", "/other/instances/default").ShouldBeFalse();
        File.WriteAllText(services.FileOf("default"), $"# Of {Service.Folder}\n");
        services.IsOf("default", Service.Folder).ShouldBeFalse("it is somebody else's");
    }

    [Fact]
    public void Where_the_sources_are_is_written_too() =>
        ServiceDescription.EnvironmentOf(name => name == "OPENSHELL_VM_SOURCE" ? "/clone" : null).ShouldContain(KeyValuePair.Create("OPENSHELL_VM_SOURCE", "/clone"));

    [Fact]
    public void Only_variables_that_are_set_are_written() =>
        ServiceDescription.EnvironmentOf(name => name == "XDG_DATA_HOME" ? "/data" : "").ShouldBe([KeyValuePair.Create("XDG_DATA_HOME", "/data"), .. OpenShell.Vm.Supervision.SupervisorSettings.All]);

    private async Task<(IReadOnlyList<string> OfTheUnit, string Said)> ComplaintsAsync(string text)
    {
        var unit = _folder.File(Systemd.NameOf("default"));
        await File.WriteAllTextAsync(unit, text, TestContext.Current.CancellationToken);
        using var analyze = Process.Start(new ProcessStartInfo("/usr/bin/systemd-analyze", ["--user", "--man=no", "verify", unit]) { RedirectStandardError = true, Environment = { ["XDG_RUNTIME_DIR"] = _folder.Path } })!;
        var said = await analyze.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await analyze.WaitForExitAsync(TestContext.Current.CancellationToken);

        // What it says of units of the host is the host's affair.
        return ([.. said.Split('\n').Where(line => line.Contains("openshell-vm", StringComparison.Ordinal))], said);
    }

    private string[] Everything() => [.. Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}

using OpenShell.Tests;
using OpenShell.Tests.Timing;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>Files of an instance that are cut off, garbage, or another version's: it is listed beside the good ones, a start says what to do or writes them anew, and it can always be reset and deleted.</summary>
public sealed class DamagedFilesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    public void Dispose() => _folder.Dispose();

    private static readonly (string Name, string Content)[] Contents =
    [
        ("empty", ""),
        ("cut", """{"name": "test", "pha"""),
        ("zeros", new string('\0', 4096)),
        ("binary", "\u0001\u00ff\ufffd\u0000garbage"),
        ("null", "null"),
        ("array", "[]"),
        ("number", "17"),
        ("nothing in it", "{}"),
        ("another shape", """{"name": {"x": 1}, "phase": [], "mode": 7, "ports": "none", "processes": [], "format": "two", "source": 3}"""),
        ("nulls within", """{"name": "test", "phase": "Ready", "mode": "cluster", "ports": [null], "processes": {"vmm": null, "supervisor": null}, "stages": [null], "disks": [null], "mounts": [null]}"""),
        ("out of range", """{"name": "test", "phase": "Ready", "mode": "cluster", "timeout": 1e300, "restarts": 99999999999, "stages": [{"stage": "disk", "start": 1e300, "state": "Completed"}]}"""),
        ("twice", """{"name": "test", "name": "test", "format": 2, "format": 2, "phase": "Ready", "mode": "cluster"}"""),
        ("processes of nobody", """{"name": "test", "phase": "Ready", "mode": "cluster", "processes": {"vmm": null, "supervisor": null}}"""),
        ("newer", """{"name": "test", "format": 99, "phase": "Hibernating", "mode": "cluster", "source": "x", "more": {"a": [1, 2]}}"""),
        ("deep", new string('[', 5000)),
    ];

    public static TheoryData<string, string> Files()
    {
        var data = new TheoryData<string, string>();
        foreach (var file in (string[])["config.json", "status.json", "origin.json"])
        {
            foreach (var (name, _) in Contents)
                data.Add(file, name);
        }

        // These a start replaces or adds to; what is in them is read elsewhere.
        foreach (var file in (string[])["fault.json", "plan.json", "timeline.jsonl", "events.jsonl", "lock", "supervisor.log"])
        {
            foreach (var name in (string[])["empty", "binary", "another shape"])
                data.Add(file, name);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_damaged_file_keeps_nothing_from_being_listed_started_or_told_reset_and_deleted(string file, string content)
    {
        InstanceStore.WriteConfig(_folder.Instance("good"), new InstanceConfig { Name = "good" });
        var files = _folder.Instance("test");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test", MemoryMib = 2048 });
        await File.WriteAllTextAsync(Path.Combine(files.Root, file), Contents.Single(c => c.Name == content).Content, Cancellation);

        var list = await Instances.ListAsync(Cancellation);
        list.Select(i => i.Name).ShouldBe(["good", "test"]);
        list[0].Phase.ShouldBe(InstancePhase.Stopped);
        if (list[1].Phase == InstancePhase.Broken)
        {
            list[1].Fault.ShouldNotBeNull().Remedy.ShouldNotBeEmpty();
            (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Broken);
        }

        await StartAsync(files, file);
        if (file == "config.json" && content == "newer")
            (await Should.ThrowAsync<FaultException>(() => Instances.ResetAsync("test", Cancellation))).Faults[0].Code.ShouldBe("instance.format-newer");
        else
            await Instances.ResetAsync("test", Cancellation);
        await Instances.DeleteAsync("test", cancellationToken: Cancellation);
        (await Instances.ListAsync(Cancellation)).ShouldHaveSingleItem().Name.ShouldBe("good");
    }

    [Fact]
    public async Task A_start_on_a_clock_before_the_instances_certificates_is_refused_and_changes_nothing()
    {
        var files = _folder.Instance("test");
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = "test", MemoryMib = 2048 });
        await StateDisk.CreateAsync(DiskFormat.Raw, 4, Made.Host(), files, Cancellation);
        using var pki = new TestPki();
        using var certificate = pki.Server();
        var registration = new GatewayRegistration(_folder.Directories, "test");
        var pem = System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem());
        registration.Write(30051, new GatewayCertificates(System.Text.Encoding.ASCII.GetBytes(pki.CaPem), pem, pem));
        registration.RequireClock(DateTimeOffset.UtcNow);

        var time = new ManualTime();
        var instances = new LocalInstances(new InstancesOptions { Directories = _folder.Directories, Time = time });
        var fault = (await Should.ThrowAsync<FaultException>(() => instances.RunAsync(new InstanceConfig { Name = "test", MemoryMib = 2048 }, cancellationToken: Cancellation))).Faults.ShouldHaveSingleItem();
        fault.Code.ShouldBe("host.clock-behind");
        fault.What.ShouldContain("This machine's clock says 1970-01-02");
        fault.What.ShouldContain("ca.crt");
        fault.Remedy.ShouldContain("Set the clock");
        InstanceLock.HolderOf(files).ShouldBeNull();
    }

    /// <summary>It either goes through, to a supervisor without a machine, or is refused with a remedy, and then the file is as it was.</summary>
    private async Task StartAsync(InstanceFiles files, string damaged)
    {
        var path = Path.Combine(files.Root, damaged);
        var before = await File.ReadAllBytesAsync(path, Cancellation);
        try
        {
            await Instances.StartDetachedAsync(new InstanceConfig { Name = "test", MemoryMib = 2048 }, [Dummy.Path, "hold-instance", _folder.Path, "test"], cancellationToken: Cancellation);
        }
        catch (FaultException e)
        {
            damaged.ShouldBeOneOf("config.json", "origin.json");
            e.Faults[0].Code.ShouldBeOneOf("instance.broken", "instance.format-newer");
            e.Faults[0].Log.ShouldBe(path);
            (await File.ReadAllBytesAsync(path, Cancellation)).ShouldBe(before);
            return;
        }

        (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Ready);
        await InstanceRemains.EndProcessesAsync(
            new InstanceStatus { Name = "test", Phase = InstancePhase.Ready, Processes = new Dictionary<string, ProcessIdentity> { ["it"] = InstanceLock.HolderOf(files).ShouldNotBeNull() } }, Cancellation);
    }
}

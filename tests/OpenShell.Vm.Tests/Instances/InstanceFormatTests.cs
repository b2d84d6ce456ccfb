using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>What other versions of this program have written. The files in Recorded are never changed: they are what those versions wrote, or (0 and 7) what one might.</summary>
public sealed class InstanceFormatTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_the_first_version_wrote_is_read_and_written_in_the_current_format()
    {
        var files = Put("format-1.json");

        var config = new InstanceStore(_folder.Directories).ReadConfig(InstanceName.Parse("test"));

        (config.Vcpus, config.MemoryMib, config.Distribution, config.Ports.Single().HostPort).ShouldBe((2, 3072, "upstream", 8080));
        InstanceStore.WriteConfig(files, config);
        JsonNode.Parse(File.ReadAllText(files.Config))!["format"]!.GetValue<int>().ShouldBe(InstanceFormat.Current);
    }

    [Fact]
    public async Task What_a_newer_version_wrote_is_listed_refused_and_left_as_it_is()
    {
        var files = Put("format-7.json");
        var before = File.ReadAllText(files.Config);
        File.WriteAllText(files.RawStateDisk, "a disk");
        var instances = new LocalInstances(new InstancesOptions { Directories = _folder.Directories });

        var listed = (await instances.ListAsync(TestContext.Current.CancellationToken)).Single();
        listed.Phase.ShouldBe(InstancePhase.Broken);
        listed.Fault.ShouldNotBeNull().Code.ShouldBe("instance.format-newer");
        foreach (var attempt in (Func<Task>[])
            [
                () => instances.RunAsync(new InstanceConfig { Name = "test", MemoryMib = 2048 }),
                () => instances.StartDetachedAsync(new InstanceConfig { Name = "test", MemoryMib = 2048 }, ["/bin/false"]),
                () => instances.EditAsync("test", config => config),
                () => instances.CloneAsync("test", "other"),
                () => instances.ResetAsync("test"),
                () => instances.CompactAsync("test"),
                () => instances.ResizeDiskAsync("test", 40),
            ])
        {
            var fault = (await Should.ThrowAsync<FaultException>(attempt)).Faults[0];
            fault.Code.ShouldBe("instance.format-newer");
            fault.What.ShouldContain("format 7; this version knows 2");
            fault.Remedy.ShouldContain("docs/instances.md");
        }

        File.ReadAllText(files.Config).ShouldBe(before);
        File.ReadAllText(files.RawStateDisk).ShouldBe("a disk");
        InstanceLock.HolderOf(files).ShouldBeNull();
    }

    [Fact]
    public async Task What_is_too_old_says_how_to_move_the_data_and_how_to_begin_anew()
    {
        var instances = new LocalInstances(new InstancesOptions { Directories = _folder.Directories });
        Put("format-0.json");

        var fault = Should.Throw<FaultException>(() => new InstanceStore(_folder.Directories).ReadConfig(InstanceName.Parse("test"))).Faults[0];

        fault.Code.ShouldBe("instance.format-older");
        fault.Remedy.ShouldContain("a version in between");
        fault.Remedy.ShouldContain("'gateway delete --name test' and 'gateway up --name test'");

        // A reset keeps the configuration, so it would be too old as before.
        (await Should.ThrowAsync<FaultException>(() => instances.ResetAsync("test"))).Faults[0].Code.ShouldBe("instance.format-older");
        await instances.DeleteAsync("test", cancellationToken: TestContext.Current.CancellationToken);
        (await instances.ListAsync(TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    [Fact]
    public void Steps_are_taken_one_after_another()
    {
        var steps = new Dictionary<int, Action<JsonObject>>
        {
            [3] = config => config["memoryMib"] = config["memory"]!.GetValue<int>() * 1024,
            [4] = config => config.Remove("memory"),
        };

        var upgraded = InstanceFormat.Upgrade("""{"format": 3, "name": "test", "memory": 3}"""u8.ToArray(), "/x/config.json", "test", 5, steps);

        Encoding.UTF8.GetString(upgraded).ShouldBe("""{"format":5,"name":"test","memoryMib":3072}""");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("3")]
    [InlineData("""{"format": "two"}""")]
    [InlineData("""{"name": "te""")]
    [InlineData("")]
    public void What_is_no_configuration_is_broken_and_says_what_to_do(string content)
    {
        File.WriteAllText(_folder.Instance("test").Config, content);

        var fault = Should.Throw<FaultException>(() => new InstanceStore(_folder.Directories).ReadConfig(InstanceName.Parse("test"))).Faults[0];

        fault.Code.ShouldBe("instance.broken");
        fault.Remedy.ShouldContain("keeps the disk");
    }

    private InstanceFiles Put(string recorded, [CallerFilePath] string caller = "")
    {
        var files = _folder.Instance("test");
        File.Copy(Path.Combine(Path.GetDirectoryName(caller)!, "Recorded", recorded), files.Config);
        return files;
    }
}

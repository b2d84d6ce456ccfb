using System.Text.Json;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary>restart, edit, reset, clone, delete, disk: what reaches the library, and what is said.</summary>
public sealed class LifecycleTests : IDisposable
{
    private readonly Harness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task Restart_stops_and_starts_in_the_background()
    {
        var result = await _harness.DummyAsync("restart", "--name", "running");

        result.ExitCode.ShouldBe(0);
        result.Error.ShouldContain("Stopping 'running'.");
        _harness.JournalText.ShouldBe("stop running force=False\ndetach running __supervise running as it is stored\n");
    }

    [Theory]
    [InlineData("running", "'running' is stopped.\n")]
    [InlineData("slow", "'slow' was not running.\n")]
    [InlineData("asleep", "'asleep' is not woken by its ports any more. It stays suspended, and goes on from its memory at its next start; 'gateway up --name asleep --start boot' boots it instead.\n")]
    [InlineData("suspended", "'suspended' was not running. It is suspended, and goes on from its memory at its next start; 'gateway up --name suspended --start boot' boots it instead.\n")]
    public async Task Stop_says_what_came_of_it(string name, string said)
    {
        var result = await _harness.DummyAsync("stop", "--name", name);

        result.ExitCode.ShouldBe(0);
        result.Error.ShouldBe(said);
        _harness.JournalText.ShouldBe($"stop {name} force=False\n");
    }

    [Fact]
    public async Task What_cannot_be_started_again_is_not_stopped()
    {
        var result = await _harness.DummyAsync("restart", "--name", "torn");

        result.ExitCode.ShouldBe(1);
        _harness.JournalText.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--vcpus 2", "vcpus=2 memory=2048 gateway=1 ports=1:1,2:2")]
    [InlineData("--vcpus default --mem default --gateway-port default", "vcpus= memory= gateway= ports=1:1,2:2")]
    [InlineData("--mem 3g -p 8080:80 -p 0:22", "vcpus=1 memory=3072 gateway=1 ports=8080:80,0:22")]
    [InlineData("-p none", "vcpus=1 memory=2048 gateway=1 ports=")]
    public async Task Edit_changes_what_is_named_and_says_when_it_takes_effect(string options, string expected)
    {
        var result = await _harness.DummyAsync(["edit", "--name", "running", .. options.Split(' ')]);

        result.ExitCode.ShouldBe(0, result.Error);
        result.Error.ShouldBe("'running' is changed. It runs, and goes on as it is until its next start: 'gateway restart --name running'.\n");
        _harness.JournalText.ShouldBe($"edit running {expected}\n");
    }

    [Theory]
    [InlineData("--restart always", "It runs, and its new restart policy counts from now on.")]
    [InlineData("--restart always --vcpus 2", "It runs, and its new restart policy counts from now on; else it goes on as it is until its next start: 'gateway restart --name running'.")]
    public async Task A_restart_policy_takes_effect_at_once_and_is_said_to(string options, string said) =>
        (await _harness.DummyAsync(["edit", "--name", "running", .. options.Split(' ')])).Error.ShouldBe($"'running' is changed. {said}\n");

    [Fact]
    public async Task A_start_in_the_course_of_a_restart_is_stopped_in_order_and_when_that_is_insisted_on_at_once()
    {
        using var process = _harness.Start(Harness.Dummy, ["restart", "--name", "slow", "--force"]);
        await _harness.JournalHasAsync("detach slow __supervise slow as it is stored");

        await Harness.SignalAsync(process, "INT");
        await _harness.JournalHasAsync("stop slow force=False");
        await Harness.SignalAsync(process, "INT");

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(130);
        _harness.JournalText.ShouldBe("stop slow force=True\ndetach slow __supervise slow as it is stored\nstop slow force=False\nstop slow force=True\n");
    }

    [Theory]
    [InlineData("", "nothing to change")]
    [InlineData("--vcpus many --mem much -p x", "--vcpus")]
    public async Task An_edit_that_cannot_be_read_changes_nothing(string options, string said)
    {
        var result = await _harness.DummyAsync(["edit", "--name", "running", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldContain(said);
        _harness.JournalText.ShouldBeEmpty();
    }

    [Fact]
    public async Task Reset_and_clone_and_delete_name_the_instance()
    {
        (await _harness.DummyAsync("reset", "--name", "running")).Error.ShouldBe("'running' is empty; 'gateway up --name running' begins anew.\n");
        (await _harness.DummyAsync("clone", "running", "twin")).Error.ShouldBe("'twin' is a clone of 'running'; 'gateway up --name twin' starts it.\n");
        (await _harness.DummyAsync("delete", "--name", "running", "--flatten")).Error.ShouldBe("'running' is deleted.\n");
        _harness.JournalText.ShouldBe("reset running\nclone running twin\ndelete running flatten\n");
    }

    [Theory]
    [InlineData("clone", "running", "a/b")]
    [InlineData("clone", "running")]
    public async Task A_clone_needs_a_name_that_can_be_one(params string[] line)
    {
        (await _harness.DummyAsync(line)).ExitCode.ShouldBe(2);
        _harness.JournalText.ShouldBeEmpty();
    }

    [Fact]
    public async Task Disk_shows_all_and_never_fails_because_of_one()
    {
        var result = await _harness.DummyAsync("disk");

        result.ExitCode.ShouldBe(0);
        result.Out.ShouldStartWith("NAME      USED      ALLOCATED   SHARED   MEMORY     LIMIT      CLONES   WHAT IS WRONG\nrunning   1.23 GB   2.35 GB              850.0 MB   21.47 GB   twin\n");
        result.Out.ShouldContain("torn      -         -                               -                   The guest did not come up.");

        using var json = JsonDocument.Parse((await _harness.DummyAsync("disk", "--name", "running", "--output", "json")).Out);
        json.RootElement[0].GetProperty("allocated").GetInt64().ShouldBe(2_345_000_000);
        json.RootElement[0].GetProperty("memory").GetInt64().ShouldBe(850_000_000, "with what an interrupted save left");
    }

    [Fact]
    public async Task Compact_says_what_it_gave_back_and_resize_when_it_counts()
    {
        (await _harness.DummyAsync("disk", "compact", "--name", "running")).Out.ShouldBe("The disk of 'running' takes 1.30 GB; it was 2.35 GB.\n");
        (await _harness.DummyAsync("disk", "resize", "--name", "running", "1t")).Error.ShouldBe("The disk of 'running' will have 1024 GiB at its next start.\n");
        (await _harness.DummyAsync("disk", "resize", "--name", "running", "lots")).ExitCode.ShouldBe(2);
        _harness.JournalText.ShouldBe("compact running\nresize running 1024\n");
    }

    [Fact]
    public async Task The_real_command_changes_what_is_named_and_keeps_the_rest()
    {
        Put("""{"name": "default", "mode": "Cluster", "vcpus": 1, "memoryMib": 2048}""");

        (await _harness.GatewayAsync("edit", "--vcpus", "3", "-p", "0:80")).ExitCode.ShouldBe(0);

        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(ConfigFile, TestContext.Current.CancellationToken));
        json.RootElement.GetProperty("vcpus").GetInt32().ShouldBe(3);
        json.RootElement.GetProperty("memoryMib").GetInt32().ShouldBe(2048);
    }

    [Fact]
    public async Task An_edit_of_the_forwards_replaces_those_that_were_added_too()
    {
        Put("""{"name": "default", "mode": "Cluster", "memoryMib": 2048, "addedPorts": [{"hostPort": 8080, "guestPort": 80}]}""");

        (await _harness.GatewayAsync("edit", "-p", "8080:90")).ExitCode.ShouldBe(0);
        (await _harness.GatewayAsync("port", "list")).Out.ShouldContain("8080");
        (await _harness.GatewayAsync("edit", "-p", "none")).ExitCode.ShouldBe(0);

        (await _harness.GatewayAsync("port", "list")).Out.ShouldNotContain("8080");
    }

    [Theory]
    [InlineData("""{"name": "defau""", "config.json cannot be read")]
    [InlineData("""{"format": 99, "name": "default"}""", "newer version")]
    public async Task A_configuration_that_cannot_be_used_is_listed_and_told_by_every_command(string content, string said)
    {
        Put(content);

        var list = await _harness.GatewayAsync("list");
        list.ExitCode.ShouldBe(0);
        list.Out.ShouldContain("default   broken");
        list.Out.ShouldContain(said);
        foreach (var line in (string[])["up", "restart", "edit --vcpus 1", "clone default twin"])
        {
            var result = await _harness.GatewayAsync(line.Split(' '));
            result.ExitCode.ShouldBe(1, result.Error);
            result.Error.ShouldContain(said);
            result.Error.ShouldContain("remedy:");
        }

        (await File.ReadAllTextAsync(ConfigFile, TestContext.Current.CancellationToken)).ShouldBe(content);
        (await _harness.GatewayAsync("delete")).ExitCode.ShouldBe(0);
        (await _harness.GatewayAsync("list")).Out.ShouldBeEmpty();
    }

    private string ConfigFile => Path.Combine(_harness.Home, ".local/share/openshell-vm/instances/default/config.json");

    private void Put(string config)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(ConfigFile)!);
        File.WriteAllText(ConfigFile, config);
    }
}

using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;

namespace OpenShell.Gateway.Cli.Tests.Options;

/// <summary>What is written on the command line, as it meets what is stored.</summary>
public sealed class StartOptionsTests
{
    private static readonly InstanceConfig Stored = new()
    {
        Name = "default",
        Hypervisor = "libkrun",
        IdleSuspend = TimeSpan.FromMinutes(10),
        Mounts = [new HostMount { HostPath = "/src", GuestPath = "/mnt/src" }],
    };

    [Theory]
    [InlineData("--idle-suspend", "off")]
    [InlineData("--idle-suspend", "0")]
    public void Suspension_when_idle_is_taken_back(params string[] line)
    {
        var config = Complete(line);

        config.IdleSuspend.ShouldBeNull();
        config.Hypervisor.ShouldBe("libkrun");
        config.Mounts.ShouldBe(Stored.Mounts);
    }

    [Fact]
    public void The_choice_of_a_hypervisor_is_taken_back()
    {
        var config = Complete("--hypervisor", "auto");

        config.Hypervisor.ShouldBeNull();
        config.IdleSuspend.ShouldBe(Stored.IdleSuspend);
    }

    [Fact]
    public void Folders_are_taken_off_or_replaced()
    {
        Complete("--mount", "none").Mounts.ShouldBeEmpty();
        Complete("--mount", "/etc:/mnt/etc:ro").Mounts.ShouldHaveSingleItem().HostPath.ShouldBe("/etc");
        Should.Throw<FaultException>(() => Complete("--mount", "none", "--mount", "/etc:/mnt/etc")).Faults[0].What.ShouldContain("--mount 'none'");
    }

    [Fact]
    public void Nothing_said_is_nothing_changed()
    {
        var config = Complete();

        (config.Hypervisor, config.IdleSuspend, config.Named).ShouldBe((Stored.Hypervisor, Stored.IdleSuspend, NamedSettings.None));
        config.Mounts.ShouldBe(Stored.Mounts);
    }

    private static InstanceConfig Complete(params string[] line)
    {
        var command = new Command("up");
        var options = new StartOptions();
        options.AddTo(command);

        // Neither instances nor images are asked for anything.
        var host = CliHost.ForTests(TextWriter.Null, TextWriter.Null, HostDirectories.FromEnvironment(), null!, null!);
        return StoredConfig.Complete(options.Read(command.Parse([.. line, "--mem", "2g"]), new CommandContext(host, [])), Stored);
    }
}

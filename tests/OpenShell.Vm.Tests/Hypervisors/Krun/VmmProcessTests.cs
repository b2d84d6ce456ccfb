using System.Globalization;
using System.Net.Sockets;
using System.Text;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors.Krun;

/// <summary>The real process that becomes a libkrun machine, from its start to the library's <c>_exit</c>, against a library that writes down what it is told.</summary>
public sealed class VmmProcessTests(Recorder recorder) : IClassFixture<Recorder>
{
    private static readonly PortForward Web = new() { HostPort = 8080, GuestPort = 80 };

    [Fact]
    public Task A_cluster_with_gvproxy() => GoldenAsync("krun-cluster-gvproxy", KrunMachine.Cluster);

    [Fact]
    public Task A_cluster_with_gvproxy_as_on_macOS() => GoldenAsync("krun-cluster-gvproxy-macos", KrunMachine.Cluster, isMac: true);

    [Fact]
    public Task A_program_with_gvproxy() => GoldenAsync("krun-exec-gvproxy", KrunMachine.Program with { Ports = [Web] });

    [Fact]
    public Task A_program_without_a_network() => GoldenAsync("krun-exec-none", KrunMachine.Program with { Network = "none" });

    [Fact]
    public Task A_folder_with_gvproxy() => GoldenAsync("krun-rootfs-gvproxy", KrunMachine.Program with { RootDirectory = "/srv/root" });

    [Fact]
    public Task A_folder_with_libkruns_own_network() => GoldenAsync("krun-rootfs-tsi", KrunMachine.Program with { RootDirectory = "/srv/root", Network = "tsi", Ports = [Web], KrunLogLevel = 5 });

    [Fact]
    public Task A_folder_with_libkruns_own_network_and_no_ports() => GoldenAsync("krun-rootfs-tsi-no-ports", KrunMachine.Program with { RootDirectory = "/srv/root", Network = "tsi" });

    [Fact]
    public Task A_folder_without_a_network() => GoldenAsync("krun-rootfs-none", KrunMachine.Program with { RootDirectory = "/srv/root", Network = "none" });

    [Fact]
    public Task A_cluster_in_a_folder() => GoldenAsync("krun-rootfs-cluster", KrunMachine.Cluster with { RootDirectory = "/srv/root" });

    [Fact]
    public async Task The_process_ends_with_the_librarys_exit_code()
    {
        using var machine = new KrunMachine();
        var (code, _) = await machine.RunAsync(Plan(machine), ("RECORDER_EXIT", "42"));
        code.ShouldBe(42);
        machine.Faults().ShouldBeEmpty();
    }

    [Fact]
    public async Task Text_arrives_as_UTF_8()
    {
        using var machine = new KrunMachine();
        (await machine.RunAsync(Plan(machine) with { ConsoleLog = machine.File("Konsole für später.log") })).ExitCode.ShouldBe(0);
        machine.Told().ShouldContain("krun_set_console_output(0, \"DIR/Konsole für später.log\")");
    }

    [Theory]
    [InlineData("krun_create_ctx:-12", "krun.call-failed", "errno 12")]
    [InlineData("krun_set_vm_config:-22", "krun.call-failed", "krun_set_vm_config failed: errno 22, Invalid argument")]
    [InlineData("krun_set_kernel:-22", "krun.call-failed", "krun_set_kernel")]
    [InlineData("krun_add_disk3:-2", "krun.call-failed", "errno 2, No such file or directory")]
    [InlineData("krun_add_vsock:-19", "krun.call-failed", "krun_add_vsock")]
    [InlineData("krun_add_vsock_port2:-17", "krun.socket-in-the-way", "krun_add_vsock_port2")]
    [InlineData("krun_start_enter:-2", "krun.no-firmware", "krun_start_enter")]
    [InlineData("krun_start_enter:-22", "krun.", "krun_start_enter")]
    public async Task A_call_that_fails_is_told_with_its_errno_and_a_remedy(string failure, string code, string says)
    {
        using var machine = new KrunMachine();
        var (exit, error) = await machine.RunAsync(Plan(machine), ("RECORDER_FAIL", failure));

        exit.ShouldBe(1);
        var fault = machine.Faults().ShouldHaveSingleItem();
        fault.Code.ShouldStartWith(code);
        fault.What.ShouldContain(says);
        fault.Remedy.ShouldNotBeEmpty();
        error.ShouldContain(fault.What);

        // Freed where there was a context, and not after the start, which has taken it.
        var freed = machine.Told().Contains("krun_free_ctx(0)", StringComparison.Ordinal);
        freed.ShouldBe(!failure.StartsWith("krun_create_ctx", StringComparison.Ordinal) && !failure.StartsWith("krun_start_enter", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_library_that_is_none_is_told_as_such()
    {
        using var machine = new KrunMachine();
        var file = machine.File("libkrun.so.1");
        await File.WriteAllTextAsync(file, "no library", TestContext.Current.CancellationToken);
        (await machine.RunAsync(machine.Plan(KrunMachine.Program with { Network = "none" }, KrunMachine.Host(file, []), machine.Images()))).ExitCode.ShouldBe(1);
        machine.Faults().ShouldHaveSingleItem().Code.ShouldBe("krun.not-loaded");
    }

    [Fact]
    public async Task The_libkrunfw_must_be_the_one_that_this_libkrun_opens()
    {
        using var machine = new KrunMachine();
        var old = recorder.Firmware().Where(path => path.EndsWith(".4", StringComparison.Ordinal)).ToArray();
        var config = KrunMachine.Program with { RootDirectory = "/srv/root", Network = "none" };
        (await machine.RunAsync(machine.Plan(config, KrunMachine.Host(recorder.Library(19), old), null))).ExitCode.ShouldBe(1);
        var fault = machine.Faults().ShouldHaveSingleItem();
        fault.Code.ShouldBe("krun.no-firmware");
        fault.What.ShouldContain("ABI 5");
        fault.What.ShouldContain(old[0]);
    }

    [Fact]
    public async Task A_kernel_that_cannot_find_libkruns_devices_is_refused()
    {
        using var machine = new KrunMachine();
        await File.WriteAllTextAsync(machine.File("config"), "# CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES is not set\n", TestContext.Current.CancellationToken);
        (await machine.RunAsync(Plan(machine))).ExitCode.ShouldBe(1);
        machine.Faults().ShouldHaveSingleItem().Code.ShouldBe("krun.kernel-lacks");
        File.Exists(machine.Log).ShouldBeFalse("nothing is asked of libkrun then");
    }

    [Fact]
    public async Task A_plan_that_cannot_be_read_is_told_on_stderr()
    {
        using var machine = new KrunMachine();
        var qemu = machine.Plan(KrunMachine.Program with { Hypervisor = "qemu" }, Made.Host(), machine.Images());
        var (code, error) = await machine.RunAsync(qemu);
        code.ShouldBe(1);
        error.ShouldContain("cannot be read");
    }

    private BootPlan Plan(KrunMachine machine) =>
        machine.Plan(KrunMachine.Program with { Network = "none" }, KrunMachine.Host(recorder.Library(19), recorder.Firmware()), machine.Images());

    /// <summary>One file for each kind of machine, with what each level of libkrun is told for it.</summary>
    private async Task GoldenAsync(string name, InstanceConfig config, bool isMac = false)
    {
        var text = new StringBuilder();
        foreach (var level in Recorder.Levels)
        {
            using var machine = new KrunMachine();
            using var gvproxy = Listen(machine);
            var host = KrunMachine.Host(recorder.Library(level), recorder.Firmware(), isMac);
            var plan = machine.Plan(config, host, config.RootDirectory is null ? machine.Images() : null);
            var (code, error) = await machine.RunAsync(plan, ("RECORDER_EXIT", "7"));
            code.ShouldBe(machine.Faults().Count == 0 ? 7 : 1, error);
            text.Append(CultureInfo.InvariantCulture, $"== libkrun 1.{level}\n{machine.Told()}");
        }

        GoldenFile.ShouldMatch(name + ".txt", text.ToString());
    }

    /// <summary>Somebody must answer where gvproxy would: older versions are given a connected socket.</summary>
    private static Socket Listen(KrunMachine machine)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(machine.Files.NetworkSocket));
        socket.Listen();
        return socket;
    }
}

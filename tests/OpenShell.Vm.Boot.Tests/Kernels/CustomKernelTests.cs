using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Programs;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Kernels;

/// <summary>Our own kernel under QEMU: without initramfs, without modules, with everything that a cluster needs.</summary>
public sealed class CustomKernelTests : ProgramTest
{
    [Fact]
    public async Task It_mounts_the_root_itself_and_needs_no_modules()
    {
        await Requirements.SkipUnlessCustomKernelAsync(Gateway);

        var run = await Gateway.StartAsync(
            "--kernel", "custom", "--exec", "/bin/sh", "--args", "-c", "uname -r; head -1 /proc/mounts; test -e /proc/modules && echo modules; cat /proc/cmdline; echo x > /etc/x && cat /etc/x");

        var lines = run.OrFail().Split('\n');
        lines[0].ShouldEndWith("-openshell");
        lines[1].ShouldStartWith("/dev/root / squashfs ro");
        lines[2].ShouldContain("root=/dev/vda");
        lines[3].ShouldBe("x");
        run.Err.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_kernel_may_be_given_by_its_path()
    {
        await Requirements.SkipUnlessCustomKernelAsync(Gateway);
        using var built = JsonDocument.Parse((await Gateway.StartAsync("kernel", "build", "--output", "json")).OrFail());
        var copy = Path.Combine(Home.Root, "vmlinux");
        File.Copy(built.RootElement.GetProperty("kernel").GetString()!, copy);

        (await Gateway.StartAsync("--kernel", copy, "--exec", "/bin/uname", "--args", "-r")).OrFail().ShouldEndWith("-openshell\n");
    }

    [Fact]
    public async Task A_kernel_that_is_not_there_is_told()
    {
        var run = await Gateway.RunAsync("--kernel", "/no/such/vmlinux", "--exec", "/bin/true");

        run.ExitCode.ShouldBe(2);
        run.Err.ShouldContain("/no/such/vmlinux");
        run.Err.ShouldContain("--kernel");
    }

    [Theory]
    [InlineData("debian")]
    [InlineData("custom")]
    public async Task It_can_do_all_that_a_cluster_needs(string kernel)
    {
        if (kernel == "custom")
            await Requirements.SkipUnlessCustomKernelAsync(Gateway);

        var run = await Gateway.StartAsync("kernel", "check", "--kernel", kernel, "--output", "json");

        using var report = JsonDocument.Parse(run.Output);
        var failed = report.RootElement.GetProperty("capabilities").EnumerateArray().Where(c => !c.GetProperty("works").GetBoolean()).ToList();
        var text = string.Join('\n', failed.Select(c => $"{c.GetProperty("name")}: {(c.TryGetProperty("detail", out var detail) ? detail.ToString() : "no word")}"));
        failed.Where(c => c.GetProperty("required").GetBoolean()).ShouldBeEmpty(text);
        if (kernel == "custom")
            failed.ShouldBeEmpty(text);
        run.ExitCode.ShouldBe(0);
    }

    [Theory]
    [InlineData("debian")]
    [InlineData("custom")]
    public async Task Packets_cross_a_rule_set_of_kube_proxys_nftables_mode(string kernel)
    {
        if (kernel == "custom")
            await Requirements.SkipUnlessCustomKernelAsync(Gateway);

        var run = await Gateway.RunAsync(GatewayCli.Long, ServiceRules.Script, "--net", "none", "--kernel", kernel, "--exec", "/bin/sh", "--args", "-e", "-s");

        run.OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(ServiceRules.Expected);
    }

    [Fact]
    public async Task A_whole_cluster_comes_up_on_it()
    {
        Requirements.SkipUnlessFull();

        (await Gateway.StartAsync("up", "--detach", "--name", "custom", "--kernel", "custom")).OrFail();
        try
        {
            (await Gateway.RunAsync("exec", "--name", "custom", "--", "uname", "-r")).OrFail().ShouldEndWith("-openshell\n");
            using var status = JsonDocument.Parse((await Gateway.RunAsync("status", "--name", "custom", "--output", "json")).OrFail());
            status.RootElement.GetProperty("ready").GetBoolean().ShouldBeTrue();
            var kubectl = new Cluster.Kubectl(status.RootElement.GetProperty("kubeconfig").GetString()!, Home);
            (await kubectl.RunAsync("wait", "--for", "condition=Ready", "node", "--all", "--timeout", "120s")).ShouldContain("condition met");
        }
        finally
        {
            await Gateway.RunAsync("stop", "--name", "custom");
        }
    }
}

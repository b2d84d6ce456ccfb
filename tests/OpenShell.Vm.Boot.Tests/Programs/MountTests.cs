using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Programs;

/// <summary>Folders of the host in a machine, by 9p with our own kernel.</summary>
public sealed class MountTests : ProgramTest
{
    [Fact]
    public async Task A_folder_is_seen_written_and_read_only_where_asked()
    {
        await Requirements.SkipUnlessCustomKernelAsync(Gateway);
        var source = Directory.CreateDirectory(Path.Combine(Home.Root, "a, folder")).FullName;
        var data = Directory.CreateDirectory(Path.Combine(Home.Root, "data")).FullName;
        File.WriteAllText(Path.Combine(source, "from-host"), "hello guest\n");
        File.WriteAllText(Path.Combine(data, "kept"), "kept\n");
        File.CreateSymbolicLink(Path.Combine(source, "link"), "from-host");
        File.CreateSymbolicLink(Path.Combine(source, "door"), Home.Home);

        var run = await Gateway.RunAsync(
            GatewayCli.Long,
            """
            grep ' 9p ' /proc/mounts | cut -d' ' -f2,3
            cat /mnt/src/from-host; [ -e /mnt/src/link ] && cat /mnt/src/link
            mkdir -p /mnt/src/sub && echo 'hello host' >/mnt/src/sub/from-guest && chmod 755 /mnt/src/sub/from-guest
            mv /mnt/src/sub/from-guest /mnt/src/sub/renamed && rm -f /mnt/src/link
            ls -A /mnt/src/door/ >/dev/null 2>&1 && echo "through the door"
            mknod /mnt/src/device c 1 3 2>/dev/null; cp /bin/true /mnt/src/suid && chmod 4755 /mnt/src/suid
            cat /srv/data/kept
            echo no >/srv/data/kept 2>/dev/null && echo "wrote to the read-only folder"
            mount -o remount,rw /srv/data 2>/dev/null; rm -f /srv/data/kept 2>/dev/null; true
            """u8.ToArray(),
            ["--kernel", "custom", "--net", "none", "--mount", $"{source}:/mnt/src", "--mount", $"{data}:/srv/data:ro", "--exec", "/bin/sh", "--args", "-s"]);

        // Where owners are mapped (for root) a link of the host is none that the guest could read.
        var isRoot = Environment.UserName == "root";
        run.OrFail().ShouldBe($"/mnt/src 9p\n/srv/data 9p\nhello guest\n{(isRoot ? "" : "hello guest\n")}kept\n", run.ToString());
        File.ReadAllText(Path.Combine(source, "sub", "renamed")).ShouldBe("hello host\n");
        new FileInfo(Path.Combine(source, "link")).Exists.ShouldBeFalse();
        File.ReadAllText(Path.Combine(data, "kept")).ShouldBe("kept\n");

        // Run by root, the folder takes neither devices nor the rights of root.
        if (isRoot)
        {
            (File.GetAttributes(Path.Combine(source, "device")) & FileAttributes.Device).ShouldBe((FileAttributes)0);
            (File.GetUnixFileMode(Path.Combine(source, "suid")) & UnixFileMode.SetUser).ShouldBe((UnixFileMode)0);
        }
    }

    [Fact]
    public async Task With_debians_kernel_and_no_virtiofsd_it_is_refused_before_anything_is_started()
    {
        if (File.Exists("/usr/libexec/virtiofsd") || File.Exists("/usr/lib/virtiofsd"))
            Assert.Skip("this host has virtiofsd");

        var run = await Gateway.RunAsync("--mount", $"{Home.Home}:/mnt/home", "--exec", "/bin/true");

        run.ExitCode.ShouldBe(2, run.ToString());
        run.Err.ShouldContain("--kernel custom");
    }

    [Fact]
    public async Task With_virtiofsd_debians_kernel_sees_the_folder()
    {
        if (!File.Exists("/usr/libexec/virtiofsd") && !File.Exists("/usr/lib/virtiofsd"))
            Assert.Skip("virtiofsd is not on this host (a package of Debian 13)");
        File.WriteAllText(Path.Combine(Home.Home, "from-host"), "hello guest\n");

        var run = await Gateway.StartAsync("--mount", $"{Home.Home}:/mnt/home:ro", "--exec", "/bin/cat", "--args", "/mnt/home/from-host");

        run.OrFail().ShouldBe("hello guest\n");
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_told()
    {
        var run = await Gateway.RunAsync("--kernel", "custom", "--mount", "/no/such/folder:/mnt/x", "--exec", "/bin/true");

        run.ExitCode.ShouldBe(2, run.ToString());
        run.Err.ShouldContain("there is no folder /no/such/folder");
    }
}

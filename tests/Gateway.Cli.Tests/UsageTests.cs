namespace OpenShell.Gateway.Cli.Tests;

/// <summary>The real command on command lines that are wrong.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly Harness _harness = new();

    [Theory]
    [InlineData("status --nme x", "Unknown option '--nme' for 'gateway status'.", "Did you mean '--name'?")]
    [InlineData("stats", "Unknown command 'stats'.", "Did you mean 'status'?")]
    [InlineData("--bogus", "Unknown option '--bogus'.", "See 'gateway --help'.")]
    [InlineData("image bild", "Unknown command 'bild' for 'gateway image'.", "Did you mean 'build'?")]
    [InlineData("status extra", "Unknown argument 'extra' for 'gateway status'.", "See 'gateway status --help'.")]
    [InlineData("--name x status", "--name stands in front of 'status'", "gateway status --name")]
    [InlineData("--name a --name b", "--name is given 2 times.", "Give it once.")]
    [InlineData("plan --manifests ", "--manifests has an empty value.", "Write --manifests PATH, or leave it away.")]
    [InlineData("plan --k3s-binary ", "--k3s-binary has an empty value.", "Write --k3s-binary PATH")]
    [InlineData("--name ", "--name has an empty value.", "Write --name")]
    [InlineData("bundle verify ", "FILE is empty.", "See 'gateway bundle verify --help'.")]
    [InlineData("bundle verify /usr", "/usr is no bundle: it is a folder.", "'gateway bundle create'")]
    [InlineData("plan --k3s-binary /no/such/k3s", "There is no file /no/such/k3s.", "--k3s-binary")]
    [InlineData("plan --k3s-binary /usr", "/usr cannot be taken for k3s: it is a folder.", "the program itself")]
    [InlineData("status --output", "--output needs a value.", "Write --output FORMAT.")]
    [InlineData("status --output xml", "--output 'xml': there is no such format.", "--output json")]
    [InlineData("up --vcpus 0", "--vcpus 0", "give 1 to")]
    [InlineData("up --vcpus many", "--vcpus 'many': it is not a whole number.", "--vcpus 2")]
    [InlineData("up --mem 4x", "--mem '4x': it is not a size.", "--mem 4g")]
    [InlineData("up --mem 99999g", "memory", "--mem")]
    [InlineData("up -p 99999:1", "-p '99999:1': the host port '99999' is not a number from 0 to 65535.", "-p 8080:80")]
    [InlineData("up -p a:b", "-p 'a:b': the host port 'a' is not a number", "-p 8080:80")]
    [InlineData("up -p 80", "-p '80': only one port is given.", "-p 8080:80")]
    [InlineData("up -p 1:2:3:4", "-p '1:2:3:4': '1:2' is not an IP address.", "127.0.0.1:8080:80")]
    [InlineData("up -p 8080:80 -p 8080:81", "-p '8080:81': host port 8080 is already forwarded by another -p.", "once")]
    [InlineData("up -p 8080:80 -p 0.0.0.0:8080:81", "already forwarded", "once")]
    [InlineData("up --name a/b", "The instance name 'a/b' contains '/'.", "lower-case letters")]
    [InlineData("up --timeout soon", "--timeout 'soon': it is not a time", "--timeout 5m")]
    [InlineData("up --hypervisor xen", "xen", "auto, qemu, libkrun")]
    [InlineData("--exec /bin/true --rootfs /no/such/folder", "--rootfs /no/such/folder: there is no such folder.", "holds the guest's files")]
    [InlineData("--exec /bin/true --rootfs /usr", "--rootfs /usr has no /sbin/openshell-init", "unsquashfs")]
    [InlineData("up --hypervisor qemu --rootfs /tmp", "--rootfs is for libkrun, but --hypervisor qemu was asked for.", "--hypervisor libkrun")]
    [InlineData("up --hypervisor qemu --runtime-dir /tmp", "--runtime-dir is for libkrun", "Leave one of the two away.")]
    [InlineData("up --hypervisor qemu --krun-log-level 3", "--krun-log-level is for libkrun", "--hypervisor libkrun")]
    [InlineData("up --krun-log-level 6", "--krun-log-level 6 is not between 0 and 5.", "4 (debug)")]
    [InlineData("up --krun-log-level loud", "--krun-log-level 'loud': it is not a whole number.", "--krun-log-level 4")]
    [InlineData("up --network tsi", "a cluster does not survive", "--network gvproxy")]
    [InlineData("--exec /bin/true --network tsi", "libkrunfw's kernel", "--rootfs DIR")]
    [InlineData("--exec /bin/true --network tap", "tap", "gvproxy, tsi, none")]
    [InlineData("up --distribution minikube", "minikube", "upstream")]
    [InlineData("up --exec /bin/true --detach", "--detach does not go with --exec", "Leave one of the two away.")]
    [InlineData("up --env A=B", "--env is for the program of --exec, but there is none.", "--exec PATH")]
    [InlineData("--args a b", "--args is for the program of --exec, but there is none.", "--exec PATH")]
    [InlineData("--exec /bin/true --env =B", "--env '=B': it has no name and value.", "KEY=VALUE")]
    [InlineData("--exec /bin/true --workdir tmp", "--workdir 'tmp': it is not an absolute path", "--workdir /")]
    [InlineData("up --bundle some.bundle --kernel custom", "--kernel does not go with --bundle", "Leave one of the two away.")]
    [InlineData("up --bundle some.bundle --distribution upstream", "--distribution does not go with --bundle", "Leave one of the two away.")]
    [InlineData("bundle verify no-such.bundle", "There is no bundle", "Check the path.")]
    [InlineData("bundle sbom no-such.bundle", "There is no bundle", "Check the path.")]
    [InlineData("bundle create /no/such/folder/b", "There is no folder /no/such/folder.", "a folder that is there")]
    [InlineData("bundle create b --manifests /no/such", "--manifests /no/such: there is no such file or folder.", "Check the path.")]
    [InlineData("exec", "There is no program to run.", "gateway exec -- uname -a")]
    [InlineData("exec --bogus -- ls", "Unknown option '--bogus' for 'gateway exec'.", "See 'gateway exec --help'.")]
    [InlineData("exec ls -l", "It is not clear whether what stands behind 'ls' is meant for it", "gateway exec -- ls -l")]
    [InlineData("exec -it -- sh", "-t wants a terminal, but stdin is none.", "Leave -t away")]
    [InlineData("logs --source ../../etc/passwd", "--source '../../etc/passwd': there can be no such log.", "kube-apiserver")]
    public async Task A_wrong_command_line_names_the_word_and_the_remedy_and_ends_with_2(string line, string what, string remedy)
    {
        var result = await _harness.GatewayAsync(line.Split(' '));

        result.ExitCode.ShouldBe(2, result.Error);
        result.Out.ShouldBeEmpty();
        result.Error.ShouldStartWith("error: ");
        result.Error.ShouldContain(what);
        result.Error.ShouldContain("\n  remedy: ");
        result.Error.ShouldContain(remedy);
        result.Error.ShouldNotContain("   at ");
        Directory.EnumerateFileSystemEntries(_harness.Home).ShouldBeEmpty("nothing may be changed by a command that was wrong");
    }

    [Fact]
    public async Task All_errors_come_at_once()
    {
        var result = await _harness.GatewayAsync("up", "--vcpus", "x", "--mem", "y", "-p", "99999:1", "-p", "a:b", "--name", "A", "--timeout", "z", "--hypervisor", "xen");

        result.ExitCode.ShouldBe(2);
        result.Error.Split('\n').Count(l => l.StartsWith("error: ", StringComparison.Ordinal)).ShouldBe(7, result.Error);
    }

    [Fact]
    public async Task A_name_of_300_characters_is_refused_without_filling_the_terminal()
    {
        var result = await _harness.GatewayAsync("up", "--name", new string('a', 300));

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldContain("300 characters");
        result.Error.Split('\n').Max(l => l.Length).ShouldBeLessThan(250);
    }

    [Fact]
    public async Task Control_codes_of_the_command_line_do_not_reach_the_terminal()
    {
        var result = await _harness.GatewayAsync("up", "--mem", "\u001b[31m4", "--\u0007bell");

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldNotContain("\u001b");
        result.Error.ShouldNotContain("\u0007");
    }

    public void Dispose() => _harness.Dispose();
}

using System.Text.RegularExpressions;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>
/// An image for test pods, without a registry: the guest's busybox and kubectl with their libraries, as an OCI archive that is
/// streamed into the guest's containerd through <c>gateway exec -i</c>.
/// </summary>
internal static partial class TestImage
{
    private const string Reference = "localhost/boot-test:1";

    public static async Task<string> ImportAsync(ClusterFixture cluster)
    {
        var files = new List<ImageFile>();
        // ldd fails for a program without libraries, but says what there is of the others.
        var libraries = await cluster.ExecAsync("--", "ldd", "/bin/busybox", "/usr/bin/kubectl");
        foreach (var path in Libraries().Matches(libraries.Out).Select(match => match.Groups[1].Value).Distinct().Append("/bin/busybox").Append("/usr/bin/kubectl"))
            files.Add(new ImageFile(path.TrimStart('/'), Binary(await cluster.ExecAsync("--", "cat", path)), Executable: true));
        foreach (var applet in (string[])["sh", "cat", "echo", "env", "head", "hostname", "httpd", "id", "ls", "chmod", "grep", "mkdir", "nc", "nslookup", "ping", "sleep", "timeout", "true", "wget"])
            files.Add(new ImageFile("bin/" + applet, [], LinkTarget: "busybox"));

        using var archive = new MemoryStream();
        await OciArchive.WriteAsync(
            new ContainerImage { Reference = Reference, Architecture = "amd64", Entrypoint = [], User = "0:0", Environment = ["PATH=/bin:/usr/bin"], Folders = ["tmp", "etc"], Files = files },
            archive,
            TestContext.Current.CancellationToken);
        var import = await cluster.Gateway.RunAsync(TimeSpan.FromMinutes(10), archive.ToArray(), "exec", "--name", cluster.Name, "-i", "--", "ctr", "-n", "k8s.io", "images", "import", "-");
        import.OrFail();
        return Reference;
    }

    private static byte[] Binary(Finished cat)
    {
        cat.OrFail();
        return cat.Output;
    }

    // "libc.so.6 => /lib/…/libc.so.6 (0x…)" and "/lib64/ld-linux-x86-64.so.2 (0x…)", but not the kernel's "linux-vdso.so.1 (0x…)".
    [GeneratedRegex(@"(/\S+) \(0x", RegexOptions.Multiline)]
    private static partial Regex Libraries();
}

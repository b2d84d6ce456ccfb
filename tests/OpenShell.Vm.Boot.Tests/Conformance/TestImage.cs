using System.Text.RegularExpressions;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>
/// An image for test pods, without a registry: the guest's busybox with its libraries and the host's kubectl (Debian's is static), as an OCI archive that is loaded as a user would.
/// </summary>
internal static partial class TestImage
{
    private const string Reference = "localhost/boot-test:1";

    private static readonly string[] Applets =
        ["sh", "cat", "dd", "echo", "env", "head", "hostname", "httpd", "id", "ls", "chmod", "grep", "mkdir", "nc", "nslookup", "ping", "sha256sum", "sleep", "timeout", "true", "wget"];

    public static async Task<string> LoadAsync(TestCluster cluster)
    {
        var kubectl = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "kubectl")).First(File.Exists);
        await LoadAsync(cluster, Reference, new ImageFile("usr/bin/kubectl", await File.ReadAllBytesAsync(kubectl, TestContext.Current.CancellationToken), Executable: true));
        return Reference;
    }

    /// <summary>Loads an image of busybox and a file.</summary>
    /// <returns>What <c>gateway image load</c> said.</returns>
    public static async Task<string> LoadAsync(TestCluster cluster, string reference, ImageFile further)
    {
        var files = new List<ImageFile> { further };
        var libraries = await cluster.ExecAsync("--", "ldd", "/bin/busybox");
        foreach (var path in Libraries().Matches(libraries.OrFail()).Select(match => match.Groups[1].Value).Distinct().Append("/bin/busybox"))
            files.Add(new ImageFile(path.TrimStart('/'), Binary(await cluster.ExecAsync("--", "cat", path)), Executable: true));
        foreach (var applet in Applets)
            files.Add(new ImageFile("bin/" + applet, [], LinkTarget: "busybox"));

        var archive = Path.Combine(cluster.Home.Root, reference.Split('/', ':')[1] + ".tar");
        await using (var output = File.Create(archive))
        {
            await OciArchive.WriteAsync(
                new ContainerImage { Reference = reference, Architecture = "amd64", Entrypoint = [], User = "0:0", Environment = ["PATH=/bin:/usr/bin"], Folders = ["tmp", "etc"], Files = files },
                output,
                TestContext.Current.CancellationToken);
        }

        return (await cluster.Gateway.RunAsync(TimeSpan.FromMinutes(10), [], "image", "load", archive, "--name", cluster.Name)).OrFail();
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

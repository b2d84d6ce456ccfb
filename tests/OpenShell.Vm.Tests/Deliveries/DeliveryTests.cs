using System.IO.Compression;
using System.Text;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Guest;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Formats;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Deliveries;

/// <summary>What a user gives along: looked at by the host, written as a disk by it, and read by the guest's own code.</summary>
public sealed class DeliveryTests : IDisposable
{
    private const string Manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    private static readonly string Here = Architectures.Host;
    private readonly TestFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_the_host_wrote_is_what_the_guest_reads()
    {
        var certificate = SomeCertificate();
        var config = Config(new WorkloadConfig
        {
            Manifests = [Folder("m", ("b.yaml", Manifest), ("a.yaml", Manifest + "# other\n"), (".hidden.yaml", "{"), ("readme.txt", "no"))],
            Images = [await ImageAsync("one.tar", Here), await ImageAsync("two.tar", Here)],
        }) with
        {
            CertificateAuthorities = [Write("ca.crt", certificate + certificate)],
            RegistryMirrors =
            [
                new RegistryMirror { Upstream = "docker.io", Url = "https://mirror.example:5000", CertificateAuthority = Write("mirror.crt", certificate), CredentialsFile = Write("auth", "me:s3:cret\n") },
                new RegistryMirror { Upstream = "*", Url = "http://mirror.example", SkipVerify = true },
            ],
        };
        DeliveryFiles.Faults(config).ShouldBeEmpty();
        var disk = _folder.File("delivery.tar");

        (await DeliveryDisk.WriteAsync(config, disk, Token)).ShouldBe((6, true));

        File.GetUnixFileMode(disk).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (new FileInfo(disk).Length % 512).ShouldBe(0);
        using var delivery = await Delivery.ReadAsync(File.OpenRead(disk), _folder.File("guest"), Token);
        delivery.Index.Manifests.Select(m => m.Name).ShouldBe(["000-a.yaml", "001-b.yaml"]);
        (await File.ReadAllTextAsync(delivery.PathOf(delivery.Index.Manifests[1].Entry), Token)).ShouldBe(Manifest);
        (await File.ReadAllTextAsync(delivery.PathOf(delivery.Index.Authorities!), Token)).Split("BEGIN CERTIFICATE").Length.ShouldBe(2, "each authority once");
        delivery.Index.Mirrors[0].ShouldBe(new DeliveredMirror { Upstream = "docker.io", Url = "https://mirror.example:5000", Authorities = "mirror-0.crt", User = "me", Password = "s3:cret" });
        delivery.Index.Mirrors[1].ShouldBe(new DeliveredMirror { Upstream = "*", Url = "http://mirror.example", SkipVerify = true });

        var taken = new List<string>();
        await delivery.ReadImagesAsync(file => file.Name == "000-one.tar" ? null : _folder.File("taken"), (file, path) => Take(file, path), Token);
        taken.ShouldBe(["001-two.tar"]);

        async Task Take(DeliveredFile file, string path)
        {
            taken.Add(file.Name);
            (await File.ReadAllBytesAsync(path, Token)).ShouldBe(await File.ReadAllBytesAsync(config.Workload!.Images[1], Token));
        }
    }

    [Fact]
    public async Task It_is_written_again_only_when_something_in_it_has_changed()
    {
        var config = Config(new WorkloadConfig { Manifests = [Write("a.yaml", Manifest)] });
        var disk = _folder.File("delivery.tar");

        (await DeliveryDisk.WriteAsync(config, disk, Token)).Written.ShouldBeTrue();
        (await DeliveryDisk.WriteAsync(config, disk, Token)).Written.ShouldBeFalse();
        Write("a.yaml", Manifest + "data: {}\n");
        (await DeliveryDisk.WriteAsync(config, disk, Token)).Written.ShouldBeTrue();
        File.Delete(disk);
        (await DeliveryDisk.WriteAsync(config, disk, Token)).Written.ShouldBeTrue();
    }

    [Fact]
    public async Task A_disk_that_is_something_else_or_cut_off_is_a_clean_fault_of_the_guest()
    {
        var config = Config(new WorkloadConfig { Manifests = [Write("a.yaml", Manifest + new string('#', 5000))] });
        var disk = _folder.File("delivery.tar");
        await DeliveryDisk.WriteAsync(config, disk, Token);
        var bytes = await File.ReadAllBytesAsync(disk, Token);

        foreach (var broken in new[] { bytes[..1000], bytes[..3000], new byte[4096], Encoding.ASCII.GetBytes(new string('x', 4096)), bytes[1536..] })
            (await Should.ThrowAsync<GuestFaultException>(() => Delivery.ReadAsync(new MemoryStream(broken), _folder.File("guest"), Token))).Fault.Code.ShouldBe("guest.delivery");
    }

    [Fact]
    public void The_machine_has_the_disk_only_when_something_is_given_along()
    {
        var host = Made.Host();

        Plan(Config(null)).ShouldBe(["openshell-root", "openshell-state"]);
        Plan(Config(new WorkloadConfig { Manifests = ["/a.yaml"] })).ShouldBe(["openshell-root", "openshell-state", "openshell-delivery"]);

        string[] Plan(InstanceConfig config) => [.. BootPlanner.Plan(InstanceDefaults.Fill(config, host), host, Made.Images, Made.Files()).Disks.Select(d => d.Serial)];
    }

    [Theory]
    [InlineData("kind: A\nmetadata: {name: a}", "line 1: an object without apiVersion")]
    [InlineData("apiVersion: v1\nmetadata: {name: a}", "without kind")]
    [InlineData("apiVersion: v1\nkind: ConfigMap", "a ConfigMap without metadata.name")]
    [InlineData("- a\n- b", "no Kubernetes object")]
    [InlineData("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}", "a Job without metadata.name")]
    [InlineData("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod}]", "a Pod without metadata.name")]
    [InlineData("a: [", "line ")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: 'x'", "line 5")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\n  metadata: {name: a}", "line 3")]
    public void A_manifest_that_the_cluster_would_refuse_is_told_by_its_line(string text, string expected)
    {
        var fault = DeliveryFiles.Faults(Config(new WorkloadConfig { Manifests = [Write("a.yaml", text)] })).ShouldHaveSingleItem();

        fault.Code.ShouldBe("delivery.manifest-invalid");
        fault.What.ShouldContain(expected);
        fault.IsUsage.ShouldBeTrue();
    }

    [Theory]
    [InlineData("# only a comment\n---\n" + Manifest)]
    [InlineData("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}""")]
    [InlineData("apiVersion: v1\nkind: List\nitems: []")]
    public void A_manifest_that_it_would_take_is_none(string text) =>
        DeliveryFiles.Faults(Config(new WorkloadConfig { Manifests = [Write("a.yaml", text)] })).ShouldBeEmpty();

    [Fact]
    public void A_manifest_that_is_nested_without_end_is_told()
    {
        var fault = DeliveryFiles.Faults(Config(new WorkloadConfig { Manifests = [Write("deep.yaml", new string('[', 100_000))] })).ShouldHaveSingleItem();

        fault.What.ShouldContain("line 1: it is nested deeper than 200 levels");
    }

    [Fact]
    public async Task Archives_of_images_are_looked_into()
    {
        var good = await ImageAsync("good.tar", Here);
        var bytes = await File.ReadAllBytesAsync(good, Token);
        Code(good).ShouldBeNull();
        Code(Gzip("good.tar.gz", bytes)).ShouldBeNull();
        Code(await ImageAsync("foreign.tar", "s390x")).ShouldBe("delivery.image-architecture");
        Code(Write("no.tar", "not a tar at all" + new string('.', 2000))).ShouldBe("delivery.image-invalid");
        Code(Write("empty.tar", "")).ShouldBe("delivery.image-invalid");
        File.WriteAllBytes(_folder.File("cut.tar"), bytes[..(bytes.Length / 2)]);
        Code(_folder.File("cut.tar")).ShouldNotBeNull().ShouldBeOneOf("delivery.image-truncated", "delivery.image-invalid");
        Code(Gzip("cut.tar.gz", bytes, keep: 0.5)).ShouldNotBeNull().ShouldBeOneOf("delivery.image-truncated", "delivery.image-invalid");
        File.WriteAllBytes(_folder.File("a.tar.zst"), [0x28, 0xb5, 0x2f, 0xfd, 0]);
        Code(_folder.File("a.tar.zst")).ShouldBeNull("nothing here unpacks it");

        string? Code(string path) => DeliveryFiles.Faults(Config(new WorkloadConfig { Images = [path] })).SingleOrDefault()?.Code;
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once()
    {
        var config = Config(new WorkloadConfig { Manifests = ["/no/such"], Images = [Directory.CreateDirectory(_folder.File("none")).FullName], Charts = [Write("c.tgz", "x")] }) with
        {
            Distribution = "upstream",
            CertificateAuthorities = [Write("ca", "x"), _folder.Path],
            RegistryMirrors = [new RegistryMirror { Upstream = "a", Url = "http://b", CertificateAuthority = "/no/ca", CredentialsFile = Write("auth", "nobody") }],
        };

        DeliveryFiles.Faults(config).Select(f => f.Code).ShouldBe([
            "delivery.missing", "delivery.empty", "delivery.chart-invalid", "delivery.chart-without-k3s", "delivery.ca-invalid", "delivery.not-a-file", "delivery.missing", "delivery.credentials-invalid"]);
    }

    private static InstanceConfig Config(WorkloadConfig? workload) => new() { Name = "default", Workload = workload };

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }

    private string Folder(string name, params (string Name, string Text)[] files)
    {
        Directory.CreateDirectory(_folder.File(name));
        foreach (var (file, text) in files)
            Write(name + "/" + file, text);
        return _folder.File(name);
    }

    private string Gzip(string name, byte[] content, double keep = 1)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(content);
        File.WriteAllBytes(_folder.File(name), packed.ToArray()[..(int)(packed.Length * keep)]);
        return _folder.File(name);
    }

    private async Task<string> ImageAsync(string name, string architecture)
    {
        var image = new ContainerImage { Reference = $"localhost/{name}:1", Architecture = architecture, Entrypoint = ["/a"], User = "0:0", Files = [] };
        await using var output = File.Create(_folder.File(name));
        await OciArchive.WriteAsync(image, output, Token);
        return _folder.File(name);
    }

    private static string SomeCertificate()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=test", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.ExportCertificatePem() + "\n";
    }
}

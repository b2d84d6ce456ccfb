using OpenShell.Vm.Bundles;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Registry;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Tests.Images;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Interop;

/// <summary>A pipe that nobody writes into blocks whoever opens it as a file, for good: wherever a user may name a file, one is refused at once.</summary>
public sealed class RegularFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 30_000)]
    public async Task Pipes_devices_and_folders_are_none_and_an_empty_file_is_one()
    {
        RegularFile.WhyNot(NamedPipe.Make(_folder.File("pipe"))).ShouldBe("it is no regular file");
        RegularFile.WhyNot("/dev/zero").ShouldBe("it is no regular file");
        RegularFile.WhyNot(_folder.Path).ShouldBe("it is a folder");
        RegularFile.WhyNot(_folder.Write("empty", "")).ShouldBeNull();

        await using var file = RegularFile.OpenRead(_folder.Write("some", "text"));
        using var reader = new StreamReader(file);
        (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldBe("text");
        Should.Throw<IOException>(() => RegularFile.OpenRead(_folder.File("none")));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_pipe_in_place_of_any_file_is_refused()
    {
        var pipe = NamedPipe.Make(_folder.File("pipe"));
        var token = TestContext.Current.CancellationToken;

        Should.Throw<FaultException>(() => BundleFile.Open(pipe)).Faults[0].What.ShouldContain("no regular file");
        Should.Throw<FaultException>(() => ArchiveContent.Open(new BaseImageSource.Archive(pipe, null))).Faults[0].What.ShouldContain("no regular file");
        (await Should.ThrowAsync<FaultException>(() => GivenK3s.ReadAsync(pipe, Architectures.Host, token))).Faults[0].What.ShouldContain("no regular file");

        var given = new InstanceConfig
        {
            Name = InstanceName.Default,
            Workload = new WorkloadConfig { Manifests = [pipe], Images = [pipe], Charts = [pipe] },
            CertificateAuthorities = [pipe],
            RegistryMirrors = [new RegistryMirror { Upstream = "docker.io", Url = "http://127.0.0.1:1", CertificateAuthority = pipe, CredentialsFile = pipe }],
        };
        var faults = DeliveryFiles.Faults(given);
        faults.Count.ShouldBe(6);
        faults.ShouldAllBe(f => f.Code == "delivery.not-a-file" && f.IsUsage);
    }
}

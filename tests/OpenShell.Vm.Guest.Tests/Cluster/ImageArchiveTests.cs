using System.Formats.Tar;
using System.Text;
using OpenShell.Vm.Guest.Cluster.Workload;

namespace OpenShell.Vm.Guest.Tests.Cluster;

public sealed class ImageArchiveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_archive_is_known_by_its_table_of_contents()
    {
        var first = Identity(("blobs/sha256/aa", new string('x', 5000)), ("index.json", "digest aa"));
        Identity(("index.json", "digest aa"), ("blobs/sha256/aa", new string('x', 5000))).ShouldBe(first);
        Identity(("blobs/sha256/bb", new string('y', 5000)), ("index.json", "digest bb")).ShouldNotBe(first);
        Identity(("manifest.json", "[]")).ShouldNotBe(first);
    }

    [Fact]
    public void Any_other_archive_is_refused_by_name() =>
        Should.Throw<GuestFaultException>(() => Identity(("readme", "hello"))).Fault.What.ShouldContain("archive.tar");

    private string Identity(params (string Name, string Content)[] entries)
    {
        var file = _folder.File("archive.tar");
        using (var tar = new TarWriter(File.Create(file)))
        {
            foreach (var (name, content) in entries)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        }

        return ImageArchive.Identity(file);
    }
}

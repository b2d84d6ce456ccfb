using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Tests.Images.Formats;

public sealed class OciArchiveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static readonly ContainerImage Image = new()
    {
        Reference = "localhost/thing:1.2",
        Architecture = "amd64",
        Entrypoint = ["/thing", "--quiet"],
        User = "65532:65532",
        Folders = ["tmp"],
        Files = [new ImageFile("thing", "#!thing"u8.ToArray(), Executable: true), new ImageFile("etc/passwd", "root:x:0:0::/:\n"u8.ToArray()), new ImageFile("etc/link", [], LinkTarget: "passwd")],
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_descriptor_names_a_blob_of_its_size_and_digest()
    {
        var files = await ReadAsync(await WriteAsync("a.tar"));

        var manifest = Blob(files, JsonDocument.Parse(files["index.json"]).RootElement.GetProperty("manifests")[0]);
        var document = JsonDocument.Parse(manifest).RootElement;
        var config = JsonDocument.Parse(Blob(files, document.GetProperty("config"))).RootElement;
        var layer = Blob(files, document.GetProperty("layers")[0]);

        config.GetProperty("rootfs").GetProperty("diff_ids")[0].GetString().ShouldBe("sha256:" + Convert.ToHexStringLower(SHA256.HashData(layer)));
        config.GetProperty("config").GetProperty("Entrypoint").EnumerateArray().Select(e => e.GetString()).ShouldBe(["/thing", "--quiet"]);
        config.GetProperty("config").GetProperty("User").GetString().ShouldBe("65532:65532");
    }

    [Fact]
    public async Task The_reference_stands_where_containerd_looks_for_it()
    {
        var files = await ReadAsync(await WriteAsync("a.tar"));
        var annotations = JsonDocument.Parse(files["index.json"]).RootElement.GetProperty("manifests")[0].GetProperty("annotations");
        annotations.GetProperty("io.containerd.image.name").GetString().ShouldBe("localhost/thing:1.2");
        annotations.GetProperty("org.opencontainers.image.ref.name").GetString().ShouldBe("1.2");
    }

    [Fact]
    public async Task Tar_lists_the_layer_with_modes_and_root_as_owner()
    {
        var files = await ReadAsync(await WriteAsync("a.tar"));
        var manifest = JsonDocument.Parse(Blob(files, JsonDocument.Parse(files["index.json"]).RootElement.GetProperty("manifests")[0])).RootElement;
        var layer = _folder.File("layer.tar");
        await File.WriteAllBytesAsync(layer, Blob(files, manifest.GetProperty("layers")[0]), TestContext.Current.CancellationToken);

        var listing = await HostTool.RunAsync("tar", ["--numeric-owner", "--utc", "-tvf", layer]);

        listing.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
        [
            "drwxr-xr-x 0/0               0 1970-01-01 00:00 etc/",
            "drwxr-xr-x 0/0               0 1970-01-01 00:00 tmp/",
            "lrw-r--r-- 0/0               0 1970-01-01 00:00 etc/link -> passwd",
            "-rw-r--r-- 0/0              15 1970-01-01 00:00 etc/passwd",
            "-rwxr-xr-x 0/0               7 1970-01-01 00:00 thing",
        ]);
    }

    // A known hash and not a second archive: neither the process nor the moment may be in it.
    [Fact]
    public async Task The_same_image_is_the_same_bytes_at_any_time_in_any_process() =>
        Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(await WriteAsync("a.tar"), TestContext.Current.CancellationToken)))
            .ShouldBe("47583f5281b8f038bfd0238857f628750b60d79b37cb6860e6fede244b4fda96");

    private async Task<string> WriteAsync(string name)
    {
        await using var stream = File.Create(_folder.File(name));
        await OciArchive.WriteAsync(Image, stream, TestContext.Current.CancellationToken);
        return _folder.File(name);
    }

    private static async Task<Dictionary<string, byte[]>> ReadAsync(string path)
    {
        var files = new Dictionary<string, byte[]>();
        await using var reader = new TarReader(File.OpenRead(path));
        while (await reader.GetNextEntryAsync(copyData: true, TestContext.Current.CancellationToken) is { } entry)
        {
            using var content = new MemoryStream();
            await entry.DataStream!.CopyToAsync(content, TestContext.Current.CancellationToken);
            files.Add(entry.Name, content.ToArray());
        }

        return files;
    }

    private static byte[] Blob(Dictionary<string, byte[]> files, JsonElement descriptor)
    {
        var digest = descriptor.GetProperty("digest").GetString()!;
        var blob = files["blobs/sha256/" + digest["sha256:".Length..]];
        blob.Length.ShouldBe(descriptor.GetProperty("size").GetInt32());
        Convert.ToHexStringLower(SHA256.HashData(blob)).ShouldBe(digest["sha256:".Length..]);
        return blob;
    }
}

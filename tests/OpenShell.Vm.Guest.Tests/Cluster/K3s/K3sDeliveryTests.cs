using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Tests.Cluster.K3s;

/// <summary>A delivery as the host writes it, placed for k3s in folders of the test.</summary>
public sealed class K3sDeliveryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Images => _folder.File("images");

    private string Charts => _folder.File("charts");

    private string Manifests => _folder.File("manifests");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Everything_is_where_k3s_will_find_it()
    {
        await PlaceAsync(new DeliveryIndex
        {
            Manifests = [File("000-a.yaml", "manifests")],
            Charts = [File("app-1.2.0.tgz", "charts")],
            Images = [File("000-b.tar.gz", "images", "b")],
            Mirrors = [new DeliveredMirror { Upstream = "*", Url = "https://m:5000", User = "me", Password = "a\"b", Authorities = "mirror-0.crt" }],
        });

        Names(Manifests).ShouldBe(["delivered-000-a.yaml", "delivered-chart-app-1.2.0.tgz.yaml"]);
        Text(Manifests, "delivered-chart-app-1.2.0.tgz.yaml").ShouldSatisfyAllConditions(t => t.ShouldContain("name: app-1-2-0,"), t => t.ShouldContain("/static/charts/app-1.2.0.tgz\""));
        Names(Charts).ShouldBe(["app-1.2.0.tgz"]);
        Names(Images).ShouldBe([$"delivered-{new string('b', 16)}.tar.gz"]);
        Text(Images, Names(Images)[0]).ShouldBe("content of images/000-b.tar.gz");
        using var registries = JsonDocument.Parse(string.Join('\n', (await System.IO.File.ReadAllLinesAsync(new K3sLayout(_folder.Path).Registries, TestContext.Current.CancellationToken)).Skip(1)));
        registries.RootElement.GetProperty("mirrors").GetProperty("*").GetProperty("endpoint")[0].GetString().ShouldBe("https://m:5000");
        registries.RootElement.GetProperty("configs").GetProperty("m:5000").GetProperty("auth").GetProperty("password").GetString().ShouldBe("a\"b");
        registries.RootElement.GetProperty("configs").GetProperty("m:5000").GetProperty("tls").GetProperty("ca_file").GetString().ShouldEndWith("/mirror-0.crt");
    }

    [Fact]
    public async Task The_next_delivery_replaces_the_last_and_none_leaves_it_but_for_registries()
    {
        var registries = new K3sLayout(_folder.Path).Registries;
        await PlaceAsync(new DeliveryIndex { Manifests = [File("000-a.yaml", "manifests")], Images = [File("000-b.tar", "images", "b")], Mirrors = [new DeliveredMirror { Upstream = "a", Url = "http://m" }] });
        System.IO.File.WriteAllText(Path.Combine(Manifests, "mine.yaml"), "mine");

        await PlaceAsync(new DeliveryIndex { Manifests = [File("000-c.yaml", "manifests")], Images = [File("000-d.tar", "images", "d")] });
        Names(Manifests).ShouldBe(["delivered-000-c.yaml", "mine.yaml"]);
        Names(Images).ShouldBe([$"delivered-{new string('d', 16)}.tar"]);
        System.IO.File.Exists(registries).ShouldBeFalse();

        await PlaceAsync(new DeliveryIndex());
        Names(Manifests).ShouldBe(["delivered-000-c.yaml", "mine.yaml"]);
        Names(Images).Length.ShouldBe(1);

        System.IO.File.WriteAllText(registries, "mirrors: {}");
        await PlaceAsync(new DeliveryIndex());
        System.IO.File.Exists(registries).ShouldBeTrue("the user's own");
    }

    [Fact]
    public async Task A_chart_that_a_given_manifest_names_is_left_to_it()
    {
        await PlaceAsync(new DeliveryIndex { Manifests = [File("000-a.yaml", "manifests")], Charts = [File("app.tgz", "charts")] }, "chart: https://%{KUBERNETES_API}%/static/charts/app.tgz");

        Names(Manifests).ShouldBe(["delivered-000-a.yaml"]);
        Names(Charts).ShouldBe(["app.tgz"]);
    }

    private async Task PlaceAsync(DeliveryIndex index, string? manifest = null)
    {
        using var disk = new MemoryStream();
        await using (var tar = new TarWriter(disk, leaveOpen: true))
        {
            Add(tar, DeliveryIndex.EntryName, JsonSerializer.SerializeToUtf8Bytes(index, ProtocolJson.Default.DeliveryIndex));
            foreach (var file in index.Manifests.Concat(index.Charts).Concat(index.Images))
                Add(tar, file.Entry, Encoding.UTF8.GetBytes(manifest ?? $"content of {file.Entry}"));
        }

        disk.Position = 0;
        using var delivery = await Delivery.ReadAsync(disk, _folder.File("delivery"), TestContext.Current.CancellationToken);
        await new K3sDelivery(delivery, Images, Charts, Manifests).PlaceAsync(new K3sLayout(_folder.Path), TestContext.Current.CancellationToken);
    }

    private static void Add(TarWriter tar, string name, byte[] content) => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });

    private static DeliveredFile File(string name, string folder, string hash = "a") => new(name, $"{folder}/{name}", new string(hash[0], 64));

    private static string[] Names(string folder) => [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private static string Text(string folder, string name) => System.IO.File.ReadAllText(Path.Combine(folder, name));
}

using System.Security.Cryptography;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Downloads;

namespace OpenShell.Vm.Tests.Images.Downloads;

public sealed class DownloaderTests : IDisposable
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(1_000_000);
    private static readonly string Sha256 = Convert.ToHexStringLower(SHA256.HashData(Content));

    private readonly TemporaryFolder _folder = new();
    private readonly FileServer _server = new(Content);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private CacheLayout Cache => new(_folder.File("cache"));

    private string Partial => Cache.Package(Sha256) + ".partial";

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_arrives_whole_with_its_progress_and_is_not_fetched_twice()
    {
        long last = 0;
        long? total = null;

        var path = await FetchAsync(progress: (done, all) => (last, total) = (done, all));

        (await File.ReadAllBytesAsync(path, Token)).ShouldBe(Content);
        last.ShouldBe(Content.Length);
        total.ShouldBe(Content.Length);
        (await FetchAsync()).ShouldBe(path);
        _server.Requests.Count.ShouldBe(1);
        File.Exists(Partial).ShouldBeFalse();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_connection_that_breaks_is_made_anew_and_goes_on_where_it_was()
    {
        _server.BreakAfter = 300_000;
        _server.Misbehaviours = 3;

        (await File.ReadAllBytesAsync(await FetchAsync(), Token)).ShouldBe(Content);

        _server.Requests.Count.ShouldBe(4);
        _server.Requests[3].ShouldEndWith("Range: bytes=900000-");
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_ranges_it_begins_again_and_the_file_is_right_all_the_same()
    {
        _server.Ranges = false;
        _server.BreakAfter = 300_000;
        _server.Misbehaviours = 2;

        (await File.ReadAllBytesAsync(await FetchAsync(), Token)).ShouldBe(Content);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_later_run_goes_on_with_what_an_earlier_one_left()
    {
        Begin(Content[..400_000]);

        (await File.ReadAllBytesAsync(await FetchAsync(), Token)).ShouldBe(Content);

        _server.Requests.ShouldHaveSingleItem().ShouldEndWith("Range: bytes=400000-");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_whole_file_that_was_not_yet_checked_is_only_checked()
    {
        Begin(Content);

        (await File.ReadAllBytesAsync(await FetchAsync(), Token)).ShouldBe(Content);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_was_begun_of_another_file_is_thrown_away_and_all_of_it_fetched()
    {
        Begin(new byte[400_000]);

        (await File.ReadAllBytesAsync(await FetchAsync(), Token)).ShouldBe(Content);

        _server.Requests.Select(r => r.Contains("Range", StringComparison.Ordinal)).ShouldBe([true, false]);
    }

    [Fact(Timeout = 60_000)]
    public async Task One_flipped_byte_is_found_and_nothing_of_it_kept()
    {
        _server.Content = [.. Content];
        _server.Content[500_000] ^= 1;

        var fault = await FaultAsync();

        fault.Code.ShouldBe("image.download-checksum");
        fault.What.ShouldContain(Sha256);
        fault.Remedy.ShouldStartWith("Something between here and there changes files");
        fault.Remedy.ShouldEndWith("Do something else.");
        Directory.GetFiles(Cache.Packages).ShouldBeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task One_that_always_breaks_at_the_same_place_is_told_and_kept()
    {
        _server.BreakAfter = 0;
        Begin(Content[..400_000]);

        var fault = await FaultAsync();

        fault.Code.ShouldBe("image.download-truncated");
        fault.What.ShouldContain("400000 bytes");
        fault.Remedy.ShouldBe("Do something else.");
        new FileInfo(Partial).Length.ShouldBe(400_000);
    }

    [Fact(Timeout = 60_000)]
    public async Task One_that_is_not_there_is_said_at_once()
    {
        _server.Status = 404;

        var fault = await FaultAsync();

        fault.Code.ShouldBe("image.download-missing");
        fault.Remedy.ShouldBe("Do something else.");
        _server.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = 60_000)]
    public async Task One_that_is_refused_is_no_missing_one()
    {
        _server.Status = 503;

        (await FaultAsync()).Code.ShouldBe("image.download-refused");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_that_falls_silent_is_given_up_and_what_came_is_kept()
    {
        _server.BreakAfter = 0;
        _server.Stalls = true;
        Begin(Content[..1000]);

        (await FaultAsync(stall: TimeSpan.FromMilliseconds(200))).Code.ShouldBe("image.download-stalled");
        new FileInfo(Partial).Length.ShouldBe(1000);
    }

    [Fact(Timeout = 60_000)]
    public async Task Silence_in_the_middle_is_got_over()
    {
        _server.BreakAfter = 600_000;
        _server.Stalls = true;
        _server.Misbehaviours = 1;

        (await File.ReadAllBytesAsync(await FetchAsync(stall: TimeSpan.FromMilliseconds(300)), Token)).ShouldBe(Content);
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_a_network_it_says_so()
    {
        var address = _server.Address;
        _server.Dispose();

        var fault = (await Should.ThrowAsync<FaultException>(() => new Downloader(Cache).FetchAsync(Of(address), null, Token))).Faults[0];

        fault.Code.ShouldBe("image.download-offline");
        fault.What.ShouldContain(address.ToString());
    }

    [Fact(Timeout = 60_000)]
    public async Task Two_at_once_fetch_it_once()
    {
        var paths = await Task.WhenAll(FetchAsync(), FetchAsync());

        paths[0].ShouldBe(paths[1]);
        _server.Requests.Count.ShouldBe(1);
    }

    private Task<string> FetchAsync(Action<long, long?>? progress = null, TimeSpan? stall = null) => new Downloader(Cache, stall).FetchAsync(Of(_server.Address), progress, Token);

    private async Task<Fault> FaultAsync(TimeSpan? stall = null) => (await Should.ThrowAsync<FaultException>(() => FetchAsync(stall: stall))).Faults[0];

    private static Download Of(Uri address) => new("the file", address, Sha256, "Do something else.");

    private void Begin(byte[] bytes)
    {
        Directory.CreateDirectory(Cache.Packages);
        File.WriteAllBytes(Partial, bytes);
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Tests.Images.Cache;

public sealed class ArtifactCacheTests : IDisposable
{
    private const string Kind = "thing", Key = "0123456789abcdef";

    private readonly TemporaryFolder _folder = new();
    private readonly ArtifactCache _cache;

    public ArtifactCacheTests() => _cache = new ArtifactCache(new CacheLayout(_folder.Path));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Nothing_is_there_before_the_commit_and_everything_after_it()
    {
        var building = _cache.Begin(Kind, Key);
        await File.WriteAllTextAsync(Path.Combine(building, "data"), "content", Token);
        _cache.Find(Kind, Key).ShouldBeNull();

        await CommitAsync(building);

        var record = _cache.Find(Kind, Key).ShouldNotBeNull();
        record.Outputs.ShouldBe([new OutputFile("data", 7, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73")]);
        File.ReadAllText(_cache.FileOf(Kind, Key, "data")).ShouldBe("content");
        Directory.Exists(building).ShouldBeFalse();
    }

    [Fact]
    public async Task Files_of_an_artifact_cannot_be_written_by_accident()
    {
        await MakeAsync("content");
        File.GetUnixFileMode(_cache.FileOf(Kind, Key, "data")).HasFlag(UnixFileMode.UserWrite).ShouldBeFalse();
    }

    [Fact]
    public async Task What_an_interrupted_build_left_is_not_built_upon()
    {
        await File.WriteAllTextAsync(Path.Combine(_cache.Begin(Kind, Key), "half"), "", Token);
        Directory.EnumerateFileSystemEntries(_cache.Begin(Kind, Key)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_untouched_artifact_is_fine()
    {
        var record = await MakeAsync("content");
        (await _cache.CheckAtUseAsync(record, Token)).ShouldBeNull();
    }

    [Fact]
    public async Task A_changed_byte_is_noticed_even_if_size_and_time_are_as_before()
    {
        var record = await MakeAsync("content");
        var path = _cache.FileOf(Kind, Key, "data");
        var time = File.GetLastWriteTimeUtc(path);
        Overwrite(path, "c0ntent");
        File.SetLastWriteTimeUtc(path, time);

        var fault = (await _cache.CheckAtUseAsync(record, Token)).ShouldNotBeNull();

        fault.Code.ShouldBe("image.artifact-corrupt");
        fault.What.ShouldContain(path);
        fault.What.ShouldContain("SHA-256");
        fault.Remedy.ShouldContain("gateway image build");
    }

    [Theory]
    [InlineData("conten", "6 bytes instead of 7")]
    [InlineData(null, "missing")]
    public async Task A_cut_off_or_missing_file_is_noticed(string? content, string how)
    {
        var record = await MakeAsync("content");
        var path = _cache.FileOf(Kind, Key, "data");
        if (content is null)
            File.Delete(path);
        else
            Overwrite(path, content);

        (await _cache.CheckAtUseAsync(record, Token)).ShouldNotBeNull().What.ShouldContain(how);
    }

    [Fact]
    public async Task A_file_that_was_only_touched_is_hashed_once_and_then_trusted_again()
    {
        var record = await MakeAsync("content");
        var stamps = Path.Combine(_cache.Layout.Artifact(Kind, Key), CacheLayout.StampsFile);
        var before = await File.ReadAllTextAsync(stamps, Token);
        File.SetLastWriteTimeUtc(_cache.FileOf(Kind, Key, "data"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));

        (await _cache.CheckAtUseAsync(record, Token)).ShouldBeNull();

        var after = await File.ReadAllTextAsync(stamps, Token);
        after.ShouldNotBe(before);
        (await _cache.CheckAtUseAsync(record, Token)).ShouldBeNull();
        (await File.ReadAllTextAsync(stamps, Token)).ShouldBe(after, "nothing was hashed the second time");
    }

    [Fact]
    public async Task Verifying_hashes_everything_even_where_the_stamps_agree()
    {
        var record = await MakeAsync("content");
        var path = _cache.FileOf(Kind, Key, "data");
        Overwrite(path, "c0ntent");
        (await _cache.CheckAtUseAsync(record, Token)).ShouldNotBeNull();
        await ForgeStampsAsync(path);
        (await _cache.CheckAtUseAsync(record, Token)).ShouldBeNull("size, inode and times agree");

        var hashed = 0L;
        var faults = await _cache.CheckFullyAsync(record, bytes => hashed += bytes, Token);

        faults.Count.ShouldBe(1);
        hashed.ShouldBe(7);
    }

    [Fact]
    public async Task A_record_that_is_no_record_is_a_fault_that_names_it()
    {
        await MakeAsync("content");
        var path = Path.Combine(_cache.Layout.Artifact(Kind, Key), CacheLayout.RecordFile);
        File.WriteAllText(path, "{ nonsense");
        Should.Throw<FaultException>(() => _cache.Find(Kind, Key)).Faults[0].What.ShouldContain(path);
    }

    [Fact]
    public async Task An_artifact_that_is_set_aside_makes_room_for_a_new_one()
    {
        await MakeAsync("content");
        var aside = _cache.SetAside(Kind, Key);

        _cache.Find(Kind, Key).ShouldBeNull();
        File.ReadAllText(Path.Combine(aside, "data")).ShouldBe("content");
        await MakeAsync("again");
        _cache.Find(Kind, Key).ShouldNotBeNull();
    }

    private async Task<ArtifactRecord> MakeAsync(string content)
    {
        var building = _cache.Begin(Kind, Key);
        await File.WriteAllTextAsync(Path.Combine(building, "data"), content, Token);
        return await CommitAsync(building);
    }

    private Task<ArtifactRecord> CommitAsync(string building) => _cache.CommitAsync(building, outputs => new ArtifactRecord
    {
        Kind = Kind,
        Key = Key,
        Version = "1",
        Inputs = [],
        Outputs = outputs,
        Packages = [],
        Commands = [],
        Tools = new Dictionary<string, string>(),
        BuiltAt = DateTimeOffset.UnixEpoch,
        Duration = TimeSpan.Zero,
    }, Token);

    private static void Overwrite(string path, string content)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(path, content);
    }

    private async Task ForgeStampsAsync(string path)
    {
        var stamps = new Dictionary<string, FileStamp> { ["data"] = HostFiles.Stamp(path)! };
        await File.WriteAllBytesAsync(
            Path.Combine(_cache.Layout.Artifact(Kind, Key), CacheLayout.StampsFile),
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(stamps, CacheJson.Default.DictionaryStringFileStamp),
            Token);
    }
}

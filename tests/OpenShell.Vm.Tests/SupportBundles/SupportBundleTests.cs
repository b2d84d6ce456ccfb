using System.Formats.Tar;
using System.IO.Compression;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Support;
using OpenShell.Vm.Support.Redaction;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.SupportBundles;

public sealed class SupportBundleTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Target => _folder.File("out.tar.gz");

    [Fact]
    public async Task It_has_what_could_be_read_and_names_what_could_not()
    {
        File.WriteAllText(_folder.File("log"), "first\nlast\n");
        Directory.CreateDirectory(_folder.File("folder"));
        var entries = await WriteAsync(
            new HostFileItem("instance/log", SupportContent.Text, _folder.File("log"), 11),
            new HostFileItem("instance/gone", SupportContent.Text, _folder.File("gone"), 1),
            new HostFileItem("instance/device", SupportContent.Text, "/dev/zero", 0),
            new HostFileItem("instance/folder", SupportContent.Text, _folder.File("folder"), 0),
            new TextItem("host/facts.json", SupportContent.Json, """{"token":"x"}"""));

        entries.Select(e => (e.Name, e.Problem is null)).ShouldBe([("instance/log", true), ("instance/gone", false), ("instance/device", true), ("instance/folder", false), ("host/facts.json", true)]);
        var files = Read(Target);
        files.Keys.ShouldBe(["out/README.txt", "out/instance/log", "out/instance/device", "out/host/facts.json", "out/contents.txt"]);
        files["out/instance/log"].ShouldBe("first\nlast\n");
        files["out/instance/device"].ShouldBeEmpty("a device never ends, and says that it has no length");
        files["out/contents.txt"].ShouldContain("instance/gone");
        files["out/contents.txt"].ShouldContain("not there: a made up problem");
        File.GetUnixFileMode(Target).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(_folder.Path).ShouldBe([_folder.File("log"), Target], ignoreOrder: true);
    }

    [Fact]
    public async Task Of_a_long_log_its_end_is_taken_from_a_whole_line_on()
    {
        File.WriteAllText(_folder.File("log"), "password=cut-off-secret\n" + new string('x', SupportBundle.MostBytes) + "\nthe end\n");

        var entry = (await WriteAsync(new HostFileItem("log", SupportContent.Text, _folder.File("log"), 0))).ShouldHaveSingleItem();

        entry.Problem.ShouldNotBeNull().ShouldContain("left out");
        Read(Target)["out/log"].ShouldBe("the end\n");
    }

    [Fact]
    public async Task A_file_that_is_there_is_not_replaced_nor_one_behind_a_link()
    {
        File.WriteAllText(Target, "mine");
        (await Should.ThrowAsync<FaultException>(() => WriteAsync())).Faults[0].Code.ShouldBe("support.exists");
        File.ReadAllText(Target).ShouldBe("mine");

        File.Delete(Target);
        File.CreateSymbolicLink(Target, _folder.File("elsewhere"));
        (await Should.ThrowAsync<FaultException>(() => WriteAsync())).Faults[0].Code.ShouldBe("support.exists");
        File.Exists(_folder.File("elsewhere")).ShouldBeFalse();

        Should.Throw<FaultException>(() => SupportBundle.CheckTarget(_folder.File("none/out.tar.gz"))).Faults[0].Code.ShouldBe("support.no-folder");
    }

    [Fact]
    public async Task One_that_is_given_up_leaves_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => new SupportBundle(new Redactor([]), TimeProvider.System).WriteAsync(Target, [new TextItem("a", SupportContent.Text, "a")], [], cancelled.Token));

        Directory.GetFiles(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void Of_an_instance_there_are_logs_with_their_older_parts_and_no_disk_or_key()
    {
        var files = _folder.Instance();
        foreach (var path in (string[])[files.Config, files.Plan, files.Status, files.Timeline, files.Events, files.Events + ".1", files.ConsoleLog, files.ConsoleLog + ".1", files.ConsoleLog + ".2", files.ConsoleOfAttempt(1), files.VmmLog, files.StateDisk, files.DeliveryDisk, files.Lock])
            File.WriteAllText(path, "x");

        new SupportFiles(_folder.Directories).OfInstance("default").Select(i => i.Name).ShouldBe(
        [
            "instance/config.json", "instance/plan.json", "instance/status.json", "instance/timeline.jsonl", "instance/events.jsonl.1", "instance/events.jsonl",
            "instance/console.log.2", "instance/console.log.1", "instance/console.log", "instance/qemu.log", "instance/console.1.log",
        ]);
        new SupportFiles(_folder.Directories).Listing("default").ShouldContain(" state.qcow2\n");
    }

    private Task<IReadOnlyList<SupportEntry>> WriteAsync(params SupportItem[] items) =>
        new SupportBundle(new Redactor([]), TimeProvider.System).WriteAsync(Target, items, ["a made up problem"], TestContext.Current.CancellationToken);

    private static Dictionary<string, string> Read(string path)
    {
        var files = new Dictionary<string, string>();
        using var tar = new TarReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (tar.GetNextEntry() is { } entry)
        {
            entry.Mode.ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            files[entry.Name] = new StreamReader(entry.DataStream ?? Stream.Null).ReadToEnd();
        }

        return files;
    }
}

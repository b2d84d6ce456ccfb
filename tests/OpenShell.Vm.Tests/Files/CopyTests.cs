using System.Diagnostics;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Files.Sending;
using OpenShell.Vm.Guests.Tar;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Guests;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Files;

/// <summary>Copies in both directions, with the guest's real agent at the other end.</summary>
public sealed class CopyTests : IDisposable
{
    private static readonly DateTime Then = new(2001, 2, 3, 4, 5, 6, 789, DateTimeKind.Utc);

    private readonly TestFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 120_000), CombinatorialRoutes]
    public async Task A_tree_there_and_back_is_the_same(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        var source = MakeTree();

        var sent = await SendAsync(guest, source, _folder.File("new/parents/guest"));
        var received = await ReceiveAsync(guest, _folder.File("new/parents/guest"), _folder.File("back"));

        received.ShouldBe(sent with { LeftOut = 0 });
        sent.LeftOut.ShouldBe(1);
        var there = Listing(source).Where(line => !line.Contains("pipe", StringComparison.Ordinal)).ToArray();
        Listing(_folder.File("new/parents/guest")).ShouldBe(there);
        Listing(_folder.File("back")).ShouldBe(there);
    }

    [Fact(Timeout = 120_000)]
    public async Task Holes_stay_holes()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        var source = _folder.File("sparse");
        using (var file = File.OpenHandle(source, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.Write(file, "begin"u8, 0);
            RandomAccess.Write(file, "middle"u8, 3L << 30);
            RandomAccess.SetLength(file, 5L << 30);
        }

        var sent = await SendAsync(guest, source, _folder.File("there"));
        await ReceiveAsync(guest, _folder.File("there"), _folder.File("back"));

        sent.Bytes.ShouldBeLessThan(1 << 20);
        foreach (var copy in new[] { "there", "back" })
        {
            new FileInfo(_folder.File(copy)).Length.ShouldBe(5L << 30);
            (await BlocksAsync(_folder.File(copy))).ShouldBeLessThan(1000);
            using var file = File.OpenHandle(_folder.File(copy));
            var middle = new byte[6];
            RandomAccess.Read(file, middle, 3L << 30);
            Encoding.ASCII.GetString(middle).ShouldBe("middle");
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Where_a_copy_ends_up_is_as_with_docker_cp()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        Write("src/file", "content");
        Directory.CreateDirectory(_folder.File("there"));
        Write("plain", "x");

        await SendAsync(guest, _folder.File("src"), _folder.File("there"));
        File.Exists(_folder.File("there/src/file")).ShouldBeTrue();
        await SendAsync(guest, _folder.File("src"), _folder.File("there"), contents: true);
        File.Exists(_folder.File("there/file")).ShouldBeTrue();
        await SendAsync(guest, _folder.File("src/file"), _folder.File("there/"), name: "renamed");
        File.Exists(_folder.File("there/renamed")).ShouldBeTrue();
        await SendAsync(guest, _folder.File("src/file"), _folder.File("plain"));
        File.ReadAllText(_folder.File("plain")).ShouldBe("content");

        (await FaultAsync(() => SendAsync(guest, _folder.File("src"), _folder.File("plain")))).Code.ShouldBe("files.refused");
        (await FaultAsync(() => SendAsync(guest, _folder.File("src/file"), _folder.File("none/")))).Code.ShouldBe("files.not-found");
        (await FaultAsync(() => SendAsync(guest, _folder.File("no/such"), _folder.File("there")))).Code.ShouldBe("files.not-found");
        (await FaultAsync(() => ReceiveAsync(guest, _folder.File("no/such"), _folder.File("there")))).Code.ShouldBe("files.not-found");
        (await FaultAsync(() => ReceiveAsync(guest, "/dev/null", _folder.File("there")))).Code.ShouldBe("files.refused");
        (await FaultAsync(() => ReceiveAsync(guest, _folder.File("src"), _folder.File("no/parent")))).Code.ShouldBe("files.not-found");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_link_is_copied_as_a_link_unless_it_is_to_be_followed()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        Write("file", "content");
        File.CreateSymbolicLink(_folder.File("link"), "file");

        await ReceiveAsync(guest, _folder.File("link"), _folder.File("as-link"));
        await ReceiveAsync(guest, _folder.File("link"), _folder.File("as-file"), follow: true);

        new FileInfo(_folder.File("as-link")).LinkTarget.ShouldBe("file");
        new FileInfo(_folder.File("as-file")).LinkTarget.ShouldBeNull();
        File.ReadAllText(_folder.File("as-file")).ShouldBe("content");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_file_of_proc_whose_length_is_not_known_is_copied_to_its_end()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);

        await ReceiveAsync(guest, "/proc/cpuinfo", _folder.File("cpuinfo"));

        // All of it but what changes from moment to moment.
        Lines(_folder.File("cpuinfo")).ShouldBe(Lines("/proc/cpuinfo"));

        static string[] Lines(string path) => [.. File.ReadLines(path).Where(line => !line.StartsWith("cpu MHz", StringComparison.Ordinal))];
    }

    [Fact(Timeout = 120_000)]
    public async Task A_copy_that_is_given_up_leaves_nothing_on_either_side()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);
        Directory.CreateDirectory(_folder.File("src"));
        Write("src/a", "small");
        File.WriteAllBytes(_folder.File("src/b"), RandomNumberGenerator.GetBytes(30_000_000));

        using (var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token))
            await Should.ThrowAsync<OperationCanceledException>(SendAsync(guest, _folder.File("src"), _folder.File("there"), progress: new CancelAt(cancel), token: cancel.Token));
        using (var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token))
            await Should.ThrowAsync<OperationCanceledException>(ReceiveAsync(guest, _folder.File("src"), _folder.File("back"), progress: new CancelAt(cancel), token: cancel.Token));

        Directory.Exists(_folder.File("back")).ShouldBeFalse();
        Directory.GetFileSystemEntries(_folder.Path, DiskSink.AsidePrefix + "*").Length.ShouldBeLessThan(2);

        // The guest notices a moment later.
        while (Directory.GetFileSystemEntries(_folder.Path, DiskSink.AsidePrefix + "*").Length > 0)
            await Task.Delay(10, Token);
        Directory.Exists(_folder.File("there")).ShouldBeFalse();
    }

    [Fact(Timeout = 120_000)]
    public async Task An_archive_is_what_tar_reads_and_what_tar_writes_is_taken()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        var source = MakeTree();
        var archive = _folder.File("out.tar");

        await using (var output = File.Create(archive))
        await using (var sink = new TarSink(output, "tree"))
            await guest.Agent.ReadTreeAsync(new TreeReadRequest(source, false), sink, new TreeLimits(), null, Token);
        Directory.CreateDirectory(_folder.File("untarred"));
        await RunAsync("tar", "-C", _folder.File("untarred"), "-xpf", archive);
        Listing(_folder.File("untarred/tree")).ShouldBe([.. Listing(source).Where(line => !line.Contains("pipe", StringComparison.Ordinal))]);

        await RunAsync("tar", "-C", source, "--format=posix", "--exclude", "./pipe", "-cf", archive, ".");
        await using (var input = File.OpenRead(archive))
            await guest.Agent.WriteTreeAsync(new TreeWriteRequest(_folder.File("into"), "", true), (stream, token) => TarSource.SendAsync(input, stream, null, token), Token);
        Listing(_folder.File("into")).Skip(1).ShouldBe([.. Listing(source).Skip(1).Where(line => !line.Contains("pipe", StringComparison.Ordinal))]);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("../x")]
    [InlineData("/abs")]
    [InlineData("a/../../x")]
    public async Task An_archive_that_would_lead_out_is_refused(string name)
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        using var archive = new MemoryStream();
        await using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream("x"u8.ToArray()) }, Token);
        archive.Position = 0;

        var fault = await FaultAsync(() => guest.Agent.WriteTreeAsync(new TreeWriteRequest(_folder.File("into"), "", true), (stream, token) => TarSource.SendAsync(archive, stream, null, token), Token));

        fault.Code.ShouldBe("files.archive");
        Directory.Exists(_folder.File("into")).ShouldBeFalse();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0x00)]
    [InlineData(0x39)]
    [InlineData(0x80)]
    [InlineData(0xff)]
    public async Task What_is_no_archive_is_said_to_be_none(byte checksum)
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        var bytes = RandomNumberGenerator.GetBytes(5000);

        // Where a header has its checksum: its first byte says how the number is written, in 0x80 and 0xff in binary; with none .NET takes it for the end.
        (bytes[148], bytes[149]) = (checksum, 0x39);
        using var garbage = new MemoryStream(bytes);

        (await FaultAsync(() => guest.Agent.WriteTreeAsync(new TreeWriteRequest(_folder.File("into"), "", true), (stream, token) => TarSource.SendAsync(garbage, stream, null, token), Token)))
            .Code.ShouldBe("files.archive");
    }

    private string MakeTree()
    {
        var source = _folder.File("src");
        Write("src/file", "content");
        Write("src/empty", "");
        Write("src/umlaut-äöü ☃", "name");
        Write("src/new\nline", "name");
        Write("src/sub/deeper/run", "#!/bin/sh\n");
        File.WriteAllBytes(_folder.File("src/sub/large"), RandomNumberGenerator.GetBytes(3_000_001));
        File.SetUnixFileMode(_folder.File("src/sub/deeper/run"), (UnixFileMode)0x1ED);
        File.SetUnixFileMode(_folder.File("src/empty"), (UnixFileMode)0x100);
        File.CreateSymbolicLink(_folder.File("src/link"), "sub/deeper");
        File.CreateSymbolicLink(_folder.File("src/dangling"), "/no/such/../thing");
        Directory.CreateDirectory(_folder.File("src/bare"));
        using (var pipe = Process.Start("mkfifo", _folder.File("src/pipe")))
            pipe.WaitForExit();
        File.SetLastWriteTimeUtc(_folder.File("src/file"), Then);
        File.SetUnixFileMode(_folder.File("src/sub"), (UnixFileMode)0x16D);
        Directory.SetLastWriteTimeUtc(_folder.File("src/sub"), Then);
        Directory.SetLastWriteTimeUtc(source, Then);
        return source;
    }

    /// <summary>Everything that is to be kept of a tree, a line each, the root first.</summary>
    private static string[] Listing(string root) =>
    [
        .. Directory.EnumerateFileSystemEntries(root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Order(StringComparer.Ordinal).Prepend(root).Select(path =>
        {
            var info = new FileInfo(path);
            var name = Path.GetRelativePath(root, path);
            if (info.LinkTarget is { } target)
                return $"{name} -> {target}";
            var content = Directory.Exists(path) ? "folder" : name.EndsWith("pipe", StringComparison.Ordinal) ? "pipe" : Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
            var time = Directory.Exists(path) ? Directory.GetLastWriteTimeUtc(path) : info.LastWriteTimeUtc;
            return $"{name} {(int)File.GetUnixFileMode(path):x3} {time:O} {content}";
        }),
    ];

    private static Task<TreeSummary> SendAsync(
        GuestOnHost guest, string source, string destination, bool contents = false, string? name = null, IProgress<TreeProgress>? progress = null, CancellationToken? token = null) =>
        guest.Agent.WriteTreeAsync(
            new TreeWriteRequest(destination, name ?? Path.GetFileName(source), contents), (stream, cancel) => DiskSource.SendAsync(source, false, stream, progress, cancel), token ?? Token);

    private static async Task<TreeSummary> ReceiveAsync(GuestOnHost guest, string source, string destination, bool follow = false, IProgress<TreeProgress>? progress = null, CancellationToken? token = null)
    {
        await using var sink = new DiskSink(new TreeDestination { Path = destination, Name = Path.GetFileName(source) });
        return await guest.Agent.ReadTreeAsync(new TreeReadRequest(source, follow), sink, new TreeLimits(), progress, token ?? Token);
    }

    private static async Task<Fault> FaultAsync(Func<Task> action) => (await Should.ThrowAsync<FaultException>(action)).Faults[0];

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(Token);
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
    }

    private static async Task<long> BlocksAsync(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        return long.Parse(await stat.StandardOutput.ReadToEndAsync(Token), System.Globalization.CultureInfo.InvariantCulture);
    }

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(name))!);
        File.WriteAllText(_folder.File(name), content);
    }

    private sealed class CancelAt(CancellationTokenSource cancel) : IProgress<TreeProgress>
    {
        public void Report(TreeProgress value)
        {
            if (value.Bytes > 1_000_000)
                cancel.Cancel();
        }
    }
}

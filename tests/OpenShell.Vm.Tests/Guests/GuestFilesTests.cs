using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;

namespace OpenShell.Vm.Tests.Guests;

public sealed class GuestFilesTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000), CombinatorialRoutes]
    public async Task A_hundred_megabytes_there_and_back_are_the_same(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        var content = RandomNumberGenerator.GetBytes(100_000_000);
        var path = Path.Combine(guest.Folder, "new/folders/file");

        await guest.Agent.WriteFileAsync(path, new MemoryStream(content), OwnerOnly, Token);
        using var back = new MemoryStream(content.Length);
        await guest.Agent.ReadFileAsync(path, back, Token);

        back.GetBuffer().AsSpan(0, (int)back.Length).SequenceEqual(content).ShouldBeTrue();
        File.GetUnixFileMode(path).ShouldBe(OwnerOnly);
        Directory.GetFiles(Path.GetDirectoryName(path)!).Length.ShouldBe(1);
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_file_without_bytes_is_a_file(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        var path = Path.Combine(guest.Folder, "empty");

        await guest.Agent.WriteFileAsync(path, new MemoryStream(), OwnerOnly, Token);

        (await ReadAsync(guest.Agent, path)).ShouldBe(string.Empty);
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Files_that_are_missing_or_not_files_are_told_apart(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        (await Should.ThrowAsync<FileNotFoundException>(ReadAsync(guest.Agent, "/no/such/file"))).FileName.ShouldBe("/no/such/file");
        await Should.ThrowAsync<UnauthorizedAccessException>(ReadAsync(guest.Agent, guest.Folder));
        await Should.ThrowAsync<UnauthorizedAccessException>(ReadAsync(guest.Agent, "/dev/zero"));
        var fault = await Should.ThrowAsync<FaultException>(ReadAsync(guest.Agent, "relative/path"));
        fault.Faults[0].Code.ShouldBe("guest.invalid-request");
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_file_of_proc_whose_size_is_unknown_is_read_to_its_end(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        // Values change; the names of the lines, down to the last, do not.
        Names(await ReadAsync(guest.Agent, "/proc/self/status")).ShouldBe(Names(await File.ReadAllTextAsync("/proc/self/status", Token)));

        static string[] Names(string status) => [.. status.Split('\n').Select(line => line.Split(':')[0])];
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Writing_that_is_given_up_leaves_the_old_file_and_no_other(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        var path = Path.Combine(guest.Folder, "folder/file");
        await guest.Agent.WriteFileAsync(path, new MemoryStream("old"u8.ToArray()), OwnerOnly, Token);
        using var cancel = new CancellationTokenSource();

        await Should.ThrowAsync<OperationCanceledException>(guest.Agent.WriteFileAsync(path, new CancellingStream(cancel), OwnerOnly, cancel.Token));

        (await ReadAsync(guest.Agent, path)).ShouldBe("old");
        while (Directory.GetFiles(Path.GetDirectoryName(path)!).Length > 1)
            await Task.Delay(5, Token);
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Writing_over_a_folder_is_refused_and_leaves_nothing_behind(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        var path = Path.Combine(guest.Folder, "folder");
        Directory.CreateDirectory(path);

        await Should.ThrowAsync<Exception>(guest.Agent.WriteFileAsync(path, new MemoryStream(), OwnerOnly, Token));

        Directory.GetFiles(guest.Folder, ".openshell-*").ShouldBeEmpty();
    }

    private static async Task<string> ReadAsync(GuestAgent agent, string path)
    {
        using var content = new MemoryStream();
        await agent.ReadFileAsync(path, content, Token);
        return Encoding.UTF8.GetString(content.ToArray());
    }

    /// <summary>A source that is given up after its first bytes.</summary>
    private sealed class CancellingStream(CancellationTokenSource cancel) : MemoryStream
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_reads++ == 3)
                cancel.Cancel();
            cancellationToken.ThrowIfCancellationRequested();
            return new(buffer.Length);
        }
    }
}

using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;
using OpenShell.Vm.Upkeep;

namespace OpenShell.Vm.Tests.Upkeep;

/// <summary>What is nobody's is found and removed; what may be somebody's is not.</summary>
public sealed class StaleRemainsTests : IDisposable
{
    /// <summary>The number of a process that lives, with a start at which another had it.</summary>
    private static readonly ProcessIdentity Gone = new(ProcessIdentities.Current.Pid, ProcessIdentities.Current.StartTime - 1);

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private StaleRemains Remains => new(_folder.Directories);

    [Fact]
    public void What_killed_processes_left_is_found_and_removed()
    {
        var files = _folder.Instance();
        File.WriteAllText(Path.Combine(files.Run, "agent.sock"), "");
        WriteHolder(files, Gone);
        var program = Folder(_folder.Directories.Runtime, $"exec.{Gone.Pid}-{Gone.StartTime}-abc123");
        var aside = Folder(InstanceFiles.InstancesFolder(_folder.Directories), $".making-{Gone.Pid}-{Gone.StartTime}-0123");
        var lost = InstanceFiles.For(_folder.Directories, InstanceName.Parse("lost"));
        Directory.CreateDirectory(lost.Run);

        var found = Remains.Find();

        found.Select(r => (r.Kind, r.Path)).ShouldBe(
            [
                (RemainKind.ProgramFolder, program), (RemainKind.AsideFolder, aside), (RemainKind.Sockets, files.Run), (RemainKind.Lock, files.Lock), (RemainKind.Sockets, lost.Run),
            ],
            ignoreOrder: true);
        found.ShouldAllBe(r => r.Why.Length > 0);
        new FileInfo(files.Lock).Length.ShouldBeGreaterThan(0, "looking changes nothing");

        foreach (var remain in found)
            Remains.Remove(remain).ShouldBeTrue(remain.Path);

        Remains.Find().ShouldBeEmpty();
        foreach (var path in (string[])[program, aside, files.Run, lost.Run])
            Directory.Exists(path).ShouldBeFalse(path);
        Path.Exists(files.RunLink).ShouldBeFalse();
        File.ReadAllText(files.Lock).ShouldBeNullOrWhiteSpace();
        Directory.Exists(files.Root).ShouldBeTrue();
    }

    [Fact]
    public void A_lock_that_was_given_back_is_not_stale_however_long_its_file_is()
    {
        var files = _folder.Instance();
        InstanceLock.Acquire(files, "default").Dispose();
        InstanceRemains.RemoveRunFolder(files);

        new FileInfo(files.Lock).Length.ShouldBeGreaterThan(0);
        Remains.Find().ShouldBeEmpty();
    }

    [Fact]
    public void Nothing_of_a_running_instance_is_stale()
    {
        var files = _folder.Instance();
        using var held = InstanceLock.Acquire(files, "default");

        Remains.Find().ShouldBeEmpty();
        Remains.Remove(new StaleRemain(RemainKind.Sockets, files.Run, "made up", "default")).ShouldBeFalse();
        Remains.Remove(new StaleRemain(RemainKind.Lock, files.Lock, "made up", "default")).ShouldBeFalse();
        Directory.Exists(files.Run).ShouldBeTrue();
        InstanceLock.HolderOf(files).ShouldBe(ProcessIdentities.Current);
    }

    [Fact]
    public void What_was_taken_since_it_was_found_is_left_alone()
    {
        var files = _folder.Instance();
        WriteHolder(files, Gone);
        var found = Remains.Find();
        found.Count.ShouldBe(2);

        using var held = InstanceLock.Acquire(files, "default");

        foreach (var remain in found)
            Remains.Remove(remain).ShouldBeFalse();
        Directory.Exists(files.Run).ShouldBeTrue();
    }

    [Fact]
    public void An_instance_of_which_a_process_still_runs_is_not_touched()
    {
        var files = _folder.Instance();
        WriteHolder(files, Gone);
        InstanceStore.WriteStatus(files, new InstanceStatus
        {
            Name = "default",
            Phase = InstancePhase.Ready,
            Processes = new Dictionary<string, ProcessIdentity> { ["supervisor"] = Gone, ["vmm"] = ProcessIdentities.Current },
        });

        Remains.Find().ShouldBeEmpty();
    }

    [Fact]
    public void A_status_that_cannot_be_read_may_name_a_process()
    {
        var files = _folder.Instance();
        File.WriteAllText(files.Status, "{");

        Remains.Find().ShouldBeEmpty();
    }

    [Fact]
    public void A_socket_that_somebody_listens_on_keeps_its_folder()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("the list of sockets is Linux's");
        var files = _folder.Instance();
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(files.QmpSocket));
            socket.Listen();

            Remains.Find().ShouldBeEmpty();
        }

        Remains.Find().ShouldHaveSingleItem().Path.ShouldBe(files.Run);
    }

    [Fact]
    public void A_program_that_runs_keeps_its_folder_and_so_does_one_whose_machine_does()
    {
        var self = ProcessIdentities.Current;
        Folder(_folder.Directories.Runtime, $"exec.{self.Pid}-{self.StartTime}-abc123");
        var orphan = Folder(_folder.Directories.Runtime, $"exec.{Gone.Pid}-{Gone.StartTime}-abc124");
        File.WriteAllText(Path.Combine(orphan, "processes.json"), JsonSerializer.Serialize<IReadOnlyList<ProcessIdentity>>([self], InstanceJson.Default.IReadOnlyListProcessIdentity));

        Remains.Find().ShouldBeEmpty();
    }

    [Fact]
    public void Folders_of_others_are_not_ours_to_judge()
    {
        foreach (var name in (string[])["exec.abc", "exec.1-2", "other-01234567", "some", "gvproxy"])
            Folder(_folder.Directories.Runtime, name);
        foreach (var name in (string[])[".hidden", ".making-x-y-z", "work"])
            Folder(InstanceFiles.InstancesFolder(_folder.Directories), name);

        Remains.Find().ShouldBeEmpty();
    }

    [Fact]
    public void Where_there_is_nothing_there_is_nothing_to_find() => new StaleRemains(_folder.Directories with { Data = _folder.File("none"), Runtime = _folder.File("none") }).Find().ShouldBeEmpty();

    private static void WriteHolder(InstanceFiles files, ProcessIdentity holder) =>
        File.WriteAllText(files.Lock, JsonSerializer.Serialize(new LockHolder(holder, Guid.NewGuid()), InstanceJsonLines.Default.LockHolder));

    private static string Folder(string parent, string name) => Directory.CreateDirectory(Path.Combine(parent, name)).FullName;
}

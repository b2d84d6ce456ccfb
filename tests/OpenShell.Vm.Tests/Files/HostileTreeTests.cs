using OpenShell.Vm.Faults;
using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Files;

/// <summary>Attacks of a guest on the host's unpacker. Beside the destination lies what must not be touched; after each attack it is as it was, and nothing else is there.</summary>
public sealed class HostileTreeTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly string _outside;

    public HostileTreeTests()
    {
        Directory.CreateDirectory(_folder.File("there"));
        _outside = _folder.File("outside");
        Directory.CreateDirectory(_outside);
        File.WriteAllText(Path.Combine(_outside, "victim"), "precious");
        File.SetUnixFileMode(Path.Combine(_outside, "victim"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private string Destination => _folder.File("there");

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 60_000)]
    [InlineData("../outside/victim")]
    [InlineData("..")]
    [InlineData("a/../../outside/victim")]
    [InlineData("/etc/passwd")]
    [InlineData("//etc/passwd")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("a/.")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    public async Task A_name_that_leads_elsewhere_is_refused(string name)
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.FolderAsync("a");
                await guest.FileAsync(name);
                await guest.EndAsync();
            },
            "files.unsafe");
        Directory.EnumerateFileSystemEntries(Destination).ShouldBeEmpty();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"path":"x\ud800y","kind":"File"}""")]
    [InlineData("""{"path":"dev","kind":"Device","mode":420}""")]
    [InlineData("""{"path":"dev","kind":7}""")]
    [InlineData("""{"path":"l","kind":"Link"}""")]
    [InlineData("""{"path":"l","kind":"Link","target":"a\u0000b"}""")]
    [InlineData("""{"path":"f","kind":"File","size":-1}""")]
    [InlineData("""{"path":null,"kind":"File"}""")]
    [InlineData("""["path"]""")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("")]
    public async Task An_entry_that_makes_no_sense_is_refused(string json)
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.JsonAsync(json);
                await guest.EndAsync();
            },
            "files.unsafe");
        Directory.EnumerateFileSystemEntries(Destination).ShouldBeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task Nothing_is_written_through_a_link_that_was_sent_before()
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.LinkAsync("door", _outside);
                await guest.FolderAsync("door");
                await guest.FileAsync("door/victim");
                await guest.EndAsync();
            },
            "files.refused");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_link_that_was_sent_is_no_folder_for_what_follows()
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.LinkAsync("door", _outside);
                await guest.FileAsync("door/victim");
                await guest.EndAsync();
            },
            "files.unsafe");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_in_the_place_of_a_link_replaces_the_link_and_not_what_it_leads_to()
    {
        await ReceiveAsync(async guest =>
        {
            await guest.FolderAsync("");
            await guest.LinkAsync("file", Path.Combine(_outside, "victim"));
            await guest.FileAsync("file");
            await guest.EndAsync();
        });
        OutsideIsUntouched();
        new FileInfo(Path.Combine(Destination, "src", "file")).LinkTarget.ShouldBeNull();
        File.ReadAllText(Path.Combine(Destination, "src", "file")).ShouldBe("evil");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_folder_of_the_destination_that_is_a_link_is_not_entered()
    {
        Directory.CreateDirectory(Path.Combine(Destination, "src"));
        File.CreateSymbolicLink(Path.Combine(Destination, "src", "sub"), _outside);
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.FolderAsync("sub", mode: 0);
                await guest.FileAsync("sub/victim");
                await guest.EndAsync();
            },
            "files.refused");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_name_in_the_destination_may_not_be_a_link_to_a_folder_either()
    {
        File.CreateSymbolicLink(Path.Combine(Destination, "src"), _outside);
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.FileAsync("victim");
                await guest.EndAsync();
            },
            "files.refused");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(256, 1)]
    [InlineData(86, 1)] // of three bytes each
    [InlineData(200, 30)]
    public async Task A_name_or_path_that_is_too_long_is_refused_before_the_disk_is_asked(int length, int depth)
    {
        var name = new string(length == 86 ? '\u20ac' : 'n', length);
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                for (var (path, i) = (name, 0); i < depth; i++, path += "/" + name)
                    await guest.FolderAsync(path);
                await guest.EndAsync();
            },
            "files.unsafe");
        Directory.EnumerateFileSystemEntries(Destination).ShouldBeEmpty();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"path":"hard","kind":"HardLink","target":"../outside/victim"}""")]
    [InlineData("""{"path":"pipe","kind":"Fifo"}""")]
    [InlineData("""{"path":"socket","kind":"Socket"}""")]
    [InlineData("""{"path":"disk","kind":"BlockDevice","mode":438,"size":0}""")]
    public async Task Hard_links_devices_pipes_and_sockets_are_not_made(string json)
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.JsonAsync(json);
                await guest.EndAsync();
            },
            "files.unsafe");
        Directory.EnumerateFileSystemEntries(Destination).ShouldBeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_in_the_place_of_a_hard_link_leaves_the_other_name_alone()
    {
        Directory.CreateDirectory(Path.Combine(Destination, "src"));
        OpenShell.Vm.Interop.Libc.Link(Path.Combine(_outside, "victim"), Path.Combine(Destination, "src", "file")).ShouldBe(0);
        await ReceiveAsync(async guest =>
        {
            await guest.FolderAsync("");
            await guest.FileAsync("file", mode: 0x1FF);
            await guest.EndAsync();
        });
        OutsideIsUntouched();
        File.ReadAllText(Path.Combine(Destination, "src", "file")).ShouldBe("evil");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_in_the_place_of_a_socket_or_pipe_is_not_written_into_it()
    {
        var sub = Directory.CreateDirectory(Path.Combine(Destination, "src")).FullName;
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        listener.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(sub, "socket")));
        listener.Listen();
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [Path.Combine(sub, "pipe")]))
            await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);

        await ReceiveAsync(async guest =>
        {
            await guest.FolderAsync("");
            await guest.FileAsync("socket");
            await guest.FileAsync("pipe");
            await guest.EndAsync();
        });

        listener.Poll(0, System.Net.Sockets.SelectMode.SelectRead).ShouldBeFalse("nobody has called");
        foreach (var name in (string[])["socket", "pipe"])
            File.ReadAllText(Path.Combine(sub, name)).ShouldBe("evil");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_folder_that_becomes_a_link_between_two_entries_is_not_followed()
    {
        var sub = Directory.CreateDirectory(Path.Combine(Destination, "src", "sub")).FullName;
        var swapped = false;
        try
        {
            await ReceiveAsync(async guest =>
            {
                await guest.FolderAsync("");
                await guest.FolderAsync("sub");
                await guest.FileAsync("sub/first");
                await Eventually.BeTrueAsync(() => File.Exists(Path.Combine(sub, "first")), "the first file is in its place");
                Directory.Move(sub, sub + ".moved");
                File.CreateSymbolicLink(sub, _outside);
                swapped = true;
                await guest.FileAsync("sub/victim");
                await guest.LinkAsync("sub/door", "/");
                await guest.FolderAsync("sub/further");
                await guest.FileAsync("sub/further/victim");
                await guest.EndAsync();
            });
        }
        catch (FaultException)
        {
            // It may be noticed, or end up where the folder is now.
        }

        swapped.ShouldBeTrue();
        OutsideIsUntouched();
    }

    [Fact(Timeout = 60_000)]
    public async Task Names_that_differ_by_case_lead_nowhere_else()
    {
        try
        {
            await ReceiveAsync(async guest =>
            {
                await guest.FolderAsync("");
                await guest.LinkAsync("Door", _outside);
                await guest.FolderAsync("door");
                await guest.FileAsync("door/victim");
                await guest.EndAsync();
            });
        }
        catch (FaultException)
        {
            // Where the file system takes both for one, it is refused.
        }

        OutsideIsUntouched();
    }

    [Fact(Timeout = 60_000)]
    public async Task Set_user_id_and_its_like_are_not_taken()
    {
        await ReceiveAsync(async guest =>
        {
            await guest.FolderAsync("", mode: 0xFFF);
            await guest.FileAsync("sh", mode: 0xFFF);
            await guest.EndAsync();
        });
        const UnixFileMode All = (UnixFileMode)0x1FF;
        File.GetUnixFileMode(Path.Combine(Destination, "src", "sh")).ShouldBe(All);
        File.GetUnixFileMode(Path.Combine(Destination, "src")).ShouldBe(All);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_stream_without_end_is_ended_at_the_limit()
    {
        var limits = new TreeLimits { MaxBytes = 1_000_000 };
        var sent = 0L;
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.EntryAsync("big", TreeEntryKind.File);
                for (; ; sent += 50_000)
                    await guest.DataAsync(sent, new byte[50_000]);
            },
            "files.refused",
            limits);
        Volatile.Read(ref sent).ShouldBeLessThan(3_000_000);
    }

    [Fact(Timeout = 60_000)]
    public async Task Entries_without_end_are_ended_at_the_limit() => await AttackAsync(
        async guest =>
        {
            await guest.FolderAsync("");
            for (var i = 0; ; i++)
                await guest.FileAsync($"f{i}", "");
        },
        "files.unsafe",
        new TreeLimits { MaxEntries = 100 });

    [Theory(Timeout = 60_000)]
    [InlineData(1L << 50, 5)]
    [InlineData(long.MaxValue, 0)]
    [InlineData(long.MaxValue - 3, 2)]
    [InlineData(-1, 0)]
    public async Task A_sparse_bomb_is_refused_before_it_is_on_the_disk(long offset, long further)
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.EntryAsync("bomb", TreeEntryKind.File);
                await guest.DataAsync(offset, "boom"u8.ToArray());
                await guest.FileEndAsync(unchecked(offset + 4 + further));
                await guest.EndAsync();
            },
            offset < 0 ? "files.unsafe" : "files.refused");
    }

    [Fact(Timeout = 60_000)]
    public async Task Many_sparse_files_count_together()
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                for (var i = 0; i < 4; i++)
                {
                    await guest.EntryAsync($"f{i}", TreeEntryKind.File);
                    await guest.FileEndAsync(400_000);
                }

                await guest.EndAsync();
            },
            "files.refused",
            new TreeLimits { MaxLength = 1_000_000 });
    }

    [Fact(Timeout = 60_000)]
    public async Task Depth_without_end_is_refused()
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                var path = "";
                for (var i = 0; i < 300; i++)
                    await guest.FolderAsync(path = path.Length == 0 ? "d" : path + "/d");
                await guest.EndAsync();
            },
            "files.unsafe");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_was_damaged_on_its_way_never_gets_its_name()
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.EntryAsync("file", TreeEntryKind.File);
                await guest.DataAsync(0, "what was read"u8.ToArray());
                await guest.RawAsync(MessageKinds.TreeFileEnd, [.. BitConverter.GetBytes(13L), .. new byte[32]]);
                await guest.EndAsync();
            },
            "files.failed");
        Directory.EnumerateFileSystemEntries(Destination).ShouldBeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_stream_that_ends_early_leaves_no_half_file_in_a_folder_that_was_there()
    {
        Directory.CreateDirectory(Path.Combine(Destination, "src"));
        File.WriteAllText(Path.Combine(Destination, "src", "file"), "old");
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.EntryAsync("file", TreeEntryKind.File);
                await guest.DataAsync(0, "new, but not all of"u8.ToArray());
            },
            "files.failed");
        Directory.GetFileSystemEntries(Path.Combine(Destination, "src")).ShouldHaveSingleItem();
        File.ReadAllText(Path.Combine(Destination, "src", "file")).ShouldBe("old");
    }

    [Fact(Timeout = 60_000)]
    public async Task Messages_out_of_turn_are_refused()
    {
        Func<HostileGuest.Sender, Task>[] attacks =
        [
            guest => guest.EndAsync(),
            guest => guest.DataAsync(0, [1]),
            guest => guest.FileEndAsync(0),
            guest => guest.FileAsync("first"),
            guest => guest.RawAsync(0x7F, []),
            async guest => { await guest.FolderAsync(""); await guest.FolderAsync(""); },
            async guest => { await guest.FolderAsync(""); await guest.FileAsync("missing/file"); },
            async guest => { await guest.FolderAsync(""); await guest.EntryAsync("f", TreeEntryKind.File); await guest.FolderAsync("g"); },
            async guest => { await guest.FolderAsync(""); await guest.EntryAsync("f", TreeEntryKind.File); await guest.EndAsync(); },
            async guest => { await guest.FolderAsync(""); await guest.EntryAsync("f", TreeEntryKind.File); await guest.DataAsync(10, [1]); await guest.DataAsync(5, [1]); },
            async guest => { await guest.FolderAsync(""); await guest.EntryAsync("f", TreeEntryKind.File); await guest.DataAsync(10, [1]); await guest.FileEndAsync(3); },
            async guest => { await guest.EntryAsync("", TreeEntryKind.File); await guest.FileEndAsync(0); await guest.FileAsync("below/a/file"); },
        ];
        for (var i = 0; i < attacks.Length; i++)
        {
            await AttackAsync(attacks[i], "files.unsafe", number: i);
            Directory.EnumerateFileSystemEntries(Destination, "*", SearchOption.AllDirectories).Where(entry => Path.GetFileName(entry).StartsWith(DiskSink.AsidePrefix, StringComparison.Ordinal)).ShouldBeEmpty();
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_count_that_does_not_fit_is_no_success()
    {
        await AttackAsync(
            async guest =>
            {
                await guest.FolderAsync("");
                await guest.EndAsync(entries: 5);
            },
            "files.failed");
        Directory.EnumerateFileSystemEntries(Destination).ShouldBeEmpty();
    }

    private async Task AttackAsync(Func<HostileGuest.Sender, Task> attack, string code, TreeLimits? limits = null, int number = 0)
    {
        var fault = (await Should.ThrowAsync<FaultException>(() => ReceiveAsync(attack, limits))).Faults[0];
        fault.Code.ShouldBe(code, $"attack {number}: {fault.What}");
        OutsideIsUntouched();
        Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Where(n => n is not ("there" or "outside") && !n!.StartsWith("guest", StringComparison.Ordinal)).ShouldBeEmpty();
        Directory.GetFileSystemEntries(Destination, DiskSink.AsidePrefix + "*").ShouldBeEmpty();
    }

    private async Task ReceiveAsync(Func<HostileGuest.Sender, Task> sends, TreeLimits? limits = null)
    {
        await using var guest = new HostileGuest(_folder.File($"guest{Guid.NewGuid():N}"[..12]), async sender =>
        {
            try
            {
                await sends(sender);
            }
            catch (MuxStreamException)
            {
                // The host has had enough.
            }
        });
        var agent = await guest.ConnectAsync();
        await using var sink = new DiskSink(new TreeDestination { Path = Destination, Name = "src" });
        await agent.ReadTreeAsync(new TreeReadRequest("/src", false), sink, limits ?? new TreeLimits(), null, TestContext.Current.CancellationToken);
    }

    private void OutsideIsUntouched()
    {
        Directory.GetFileSystemEntries(_outside).ShouldHaveSingleItem();
        File.ReadAllText(Path.Combine(_outside, "victim")).ShouldBe("precious");
        File.GetUnixFileMode(Path.Combine(_outside, "victim")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}

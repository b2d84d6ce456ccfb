using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Snapshots;

/// <summary>The real QEMU, with a machine that has a firmware and nothing else.</summary>
public sealed class QemuMigrationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ovt-");
    private readonly Dictionary<Machine, Socket> _second = [];

    public void Dispose()
    {
        foreach (var listener in _second.Values)
            listener.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_machine_is_saved_with_its_memory_and_goes_on_in_another_process()
    {
        var saved = new SavedMachine(At("machine.state"), HoldsMemory: true);
        byte[] before;
        await using (var first = Start("-object", "memory-backend-ram,id=memory,size=64M"))
        {
            await FirmwareWritesAsync(first, new byte[1 << 20]);
            await first.PauseAsync(Token);
            before = await DumpAsync(first);
            await first.SaveAsync(saved, Token);
        }

        new FileInfo(saved.Path).Length.ShouldBeGreaterThan(64 << 20);
        await using var second = Start(["-object", "memory-backend-ram,id=memory,size=64M", "-incoming", "defer"], saved);
        await second.LoadAsync(Token);
        (await DumpAsync(second)).AsSpan().SequenceEqual(before).ShouldBeTrue("its memory is as it was");
        await second.ContinueAsync(Token);
        await RunsAsync(second);
    }

    [Fact]
    public async Task Memory_that_is_a_file_stays_where_it_is_and_serves_many()
    {
        var memory = At("memory.img");
        var saved = new SavedMachine(At("devices.state"), HoldsMemory: false);
        byte[] seen;
        await using (var golden = Start("-object", $"memory-backend-file,id=memory,size=64M,mem-path={memory},share=on"))
        {
            await FirmwareWritesAsync(golden, new byte[1 << 20]);
            await golden.PauseAsync(Token);
            seen = await DumpAsync(golden);
            await golden.SaveAsync(saved, Token);
            await golden.QuitAsync(Token);
            await golden.Vmm.Exited.WaitAsync(Token);
        }

        new FileInfo(saved.Path).Length.ShouldBeLessThan(4 << 20);
        File.SetUnixFileMode(memory, UnixFileMode.UserRead);
        var before = await File.ReadAllBytesAsync(memory, Token);
        string[] clone = ["-object", $"memory-backend-file,id=memory,size=64M,mem-path={memory},share=off,readonly=on,rom=off", "-incoming", "defer"];
        await using var one = Start(clone, saved);
        await using var two = Start(clone, saved);
        foreach (var machine in new[] { one, two })
        {
            await machine.LoadAsync(Token);
            (await DumpAsync(machine)).AsSpan().SequenceEqual(seen).ShouldBeTrue("its memory is that of the golden machine");
            await machine.ContinueAsync(Token);
            await RunsAsync(machine);
        }

        (await File.ReadAllBytesAsync(memory, Token)).AsSpan().SequenceEqual(before).ShouldBeTrue();
    }

    [Fact]
    public async Task What_cannot_be_loaded_is_told()
    {
        await File.WriteAllBytesAsync(At("machine.state"), new byte[100_000], Token);
        await using var machine = Start(["-object", "memory-backend-ram,id=memory,size=64M", "-incoming", "defer"], new SavedMachine(At("machine.state"), HoldsMemory: true));
        var e = await Should.ThrowAsync<Exception>(() => machine.LoadAsync(Token));
        (e is FaultException { Faults: [{ Code: "snapshot.not-loaded" }] } or IOException).ShouldBeTrue(e.ToString());
    }

    [Fact]
    public async Task Where_it_cannot_be_written_the_machine_goes_on_and_the_reason_is_told()
    {
        await using var machine = Start("-object", "memory-backend-ram,id=memory,size=64M");
        await machine.PauseAsync(Token);
        var e = await Should.ThrowAsync<Exception>(() => machine.SaveAsync(new SavedMachine("/nowhere/at/all", HoldsMemory: true), Token));
        e.Message.ShouldContain("nowhere");
        await machine.ContinueAsync(Token);
        await RunsAsync(machine);
    }

    [Fact]
    public async Task A_save_that_is_given_up_leaves_a_machine_that_runs_on_and_can_be_saved_again()
    {
        await using var machine = Start("-object", "memory-backend-ram,id=memory,size=64M");
        await machine.PauseAsync(Token);
        using var given = new CancellationTokenSource();
        var saving = machine.SaveAsync(new SavedMachine(At("first.state"), HoldsMemory: true), given.Token);
        await given.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => saving);

        await machine.ContinueAsync(Token);
        while (machine.IsPaused)
            await Task.Delay(10, Token);
        await machine.PauseAsync(Token);
        await machine.SaveAsync(new SavedMachine(At("second.state"), HoldsMemory: true), Token);
        new FileInfo(At("second.state")).Length.ShouldBeGreaterThan(64 << 20);
    }

    [Fact]
    public async Task What_a_machine_has_for_itself_is_saved_beside_its_devices_and_put_back_over_its_base()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "QEMU's memory is read in /proc");
        var memory = At("memory.img");
        await File.WriteAllBytesAsync(memory, [.. Enumerable.Range(0, 64 << 20).Select(i => (byte)(i >> 12))], Token);
        string[] over = ["-object", $"memory-backend-file,id=memory,size=64M,mem-path={memory},share=off,readonly=on,rom=off"];
        var saved = new SavedMachine(At("machine.state"), HoldsMemory: true) { Pages = At("memory.pages") };
        var below = new GuestMemory(MemorySharing.Private, memory);
        byte[] before;
        await using (var first = Start(over, null, below))
        {
            await FirmwareWritesAsync(first, (await File.ReadAllBytesAsync(memory, Token))[..(1 << 20)]);
            await first.PauseAsync(Token);
            while (!first.IsPaused)
                await Task.Delay(10, Token);
            before = await DumpAsync(first);
            (await first.SaveAsync(saved, Token)).ShouldBe(saved with { HoldsMemory = false });
            await first.QuitAsync(Token);
            await first.Vmm.Exited.WaitAsync(Token);
        }

        foreach (var path in new[] { saved.Path, saved.Pages! })
        {
            new FileInfo(path).Length.ShouldBeInRange(1, 16 << 20, path);
            File.GetUnixFileMode(path).ShouldBe(Vm.Instances.AtomicFile.OwnerOnly);
        }

        await using var second = Start([.. over, .. OnItsPages], saved with { HoldsMemory = false }, below);
        await second.LoadAsync(Token);
        (await DumpAsync(second)).AsSpan().SequenceEqual(before).ShouldBeTrue("its memory is as it was");
        await second.ContinueAsync(Token);
        await second.PauseAsync(Token);

        // And again: what was put there is its own.
        var again = new SavedMachine(At("again.state"), HoldsMemory: true) { Pages = At("again.pages") };
        await second.SaveAsync(again, Token);
        new FileInfo(again.Pages).Length.ShouldBeGreaterThanOrEqualTo(new FileInfo(saved.Pages!).Length);
    }

    [Fact]
    public async Task Pages_of_another_machine_or_cut_off_are_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "QEMU's memory is read in /proc");
        var saved = new SavedMachine(At("machine.state"), HoldsMemory: true) { Pages = At("memory.pages") };
        string[] memory = ["-object", "memory-backend-ram,id=memory,size=64M"];
        await using (var first = Start(memory, null))
        {
            await FirmwareWritesAsync(first, new byte[1 << 20]);
            await first.PauseAsync(Token);
            await first.SaveAsync(saved, Token);
        }

        var whole = await File.ReadAllBytesAsync(saved.Pages!, Token);
        foreach (var damaged in new[] { whole[..^5000], whole[..10], [.. whole.Select((b, i) => i == 10 ? (byte)(b ^ 1) : b)], [.. whole.Select((b, i) => i == 30 ? (byte)0x7f : b)] })
        {
            await File.WriteAllBytesAsync(saved.Pages!, damaged, Token);
            await using var machine = Start([.. memory, .. OnItsPages], saved with { HoldsMemory = false });
            (await Should.ThrowAsync<FaultException>(() => machine.LoadAsync(Token))).Faults[0].Code.ShouldBe("snapshot.not-loaded");
        }
    }

    private async Task FirmwareWritesAsync(Machine machine, byte[] untouched)
    {
        while ((await DumpAsync(machine)).AsSpan(0, untouched.Length).SequenceEqual(untouched))
            await Task.Delay(50, Token);
    }

    private async Task<byte[]> DumpAsync(Machine machine)
    {
        var path = At("dump-" + Guid.NewGuid().ToString("N")[..6]);
        await machine.ExecuteAsync("pmemsave", new System.Text.Json.Nodes.JsonObject { ["val"] = 0, ["size"] = 64 << 20, ["filename"] = path }, Token);
        return await File.ReadAllBytesAsync(path, Token);
    }

    /// <summary>Waits until the machine runs by QEMU's own word, on a second control socket.</summary>
    private async Task RunsAsync(Machine machine)
    {
        await using var qmp = await QmpClient.AcceptAsync(_second[machine], machine.Gone);
        while (await qmp.StatusAsync(Token) != "running")
            await Task.Delay(10, Token);
    }

    private static readonly string[] OnItsPages = ["-S", "-global", "migration.send-configuration=off", "-incoming", "defer"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private Machine Start(params string[] memory) => Start(memory, null);

    private Machine Start(string[] memory, SavedMachine? resume, GuestMemory? below = null)
    {
        var qemu = RuntimeTools.FindQemu();
        Assert.SkipWhen(qemu is null, "QEMU is missing (gateway setup)");
        var (control, second) = (At(Guid.NewGuid().ToString("N")[..6] + ".sock"), At(Guid.NewGuid().ToString("N")[..6] + ".sock"));
        var plan = new BootPlan
        {
            Instance = "x",
            Hypervisor = "qemu",
            Architecture = "x86_64",
            Accelerator = Accelerator.Tcg,
            Vcpus = 1,
            MemoryMib = 64,
            KernelArguments = [],
            Disks = [],
            AgentSocket = At("agent"),
            ControlSocket = control,
            ConsoleLog = At("console"),
            VmmLog = At("log"),
            Resume = resume,
            Memory = below,
        };
        var listener = QmpClient.Listen(second);
        var machine = new Machine(
            new LaunchSpec
            {
                Title = "QEMU",
                Program = qemu!,
                Arguments =
                [
                    "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35,memory-backend=memory", "-m", "64M", .. memory,
                    "-chardev", $"socket,id=qmp,path={control},server=off", "-mon", "chardev=qmp,mode=control", "-chardev", $"socket,id=second,path={second},server=off", "-mon", "chardev=second,mode=control",
                ],
                LogFile = At("log"),
            },
            plan);
        _second.Add(machine, listener);
        return machine;
    }
}

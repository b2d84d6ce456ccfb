using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Snapshots;

/// <summary>The real QEMU, with a machine that has a firmware and nothing else.</summary>
public sealed class QemuMigrationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ovt-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_machine_is_saved_with_its_memory_and_goes_on_in_another_process()
    {
        var saved = new SavedMachine(At("machine.state"), HoldsMemory: true);
        await using (var first = Start("-object", "memory-backend-ram,id=memory,size=64M"))
        {
            await first.PauseAsync(Token);
            await first.SaveAsync(saved, Token);
        }

        new FileInfo(saved.Path).Length.ShouldBeGreaterThan(64 << 20);
        await using var second = Start(["-object", "memory-backend-ram,id=memory,size=64M", "-incoming", "defer"], saved);
        await second.LoadAsync(Token);
        await second.ContinueAsync(Token);
    }

    [Fact]
    public async Task Memory_that_is_a_file_stays_where_it_is_and_serves_many()
    {
        var memory = At("memory.img");
        var saved = new SavedMachine(At("devices.state"), HoldsMemory: false);
        await using (var golden = Start("-object", $"memory-backend-file,id=memory,size=64M,mem-path={memory},share=on"))
        {
            await golden.PauseAsync(Token);
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
            await machine.ContinueAsync(Token);
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
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private Machine Start(params string[] memory) => Start(memory, null);

    private Machine Start(string[] memory, SavedMachine? resume)
    {
        var qemu = RuntimeTools.FindQemu();
        Assert.SkipWhen(qemu is null, "QEMU is missing (gateway setup)");
        var control = At(Guid.NewGuid().ToString("N")[..6] + ".sock");
        var plan = new BootPlan
        {
            Instance = "x", Hypervisor = "qemu", Architecture = "x86_64", Accelerator = Accelerator.Tcg, Vcpus = 1, MemoryMib = 64, KernelArguments = [], Disks = [],
            AgentSocket = At("agent"), ControlSocket = control, ConsoleLog = At("console"), VmmLog = At("log"), Resume = resume,
        };
        return new Machine(
            new LaunchSpec
            {
                Title = "QEMU",
                Program = qemu!,
                Arguments = ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35,memory-backend=memory", "-m", "64M", .. memory, "-chardev", $"socket,id=qmp,path={control},server=off", "-mon", "chardev=qmp,mode=control"],
                LogFile = At("log"),
            },
            plan);
    }
}

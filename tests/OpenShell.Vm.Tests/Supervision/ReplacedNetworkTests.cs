using System.Text.Json;
using OpenShell.Tests;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

/// <summary>The real supervisor with a real gvproxy, and a hypervisor in which there is no guest: what becomes of a gvproxy that is lost.</summary>
public sealed class ReplacedNetworkTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 180_000)]
    public async Task A_guest_that_connects_to_neither_of_two_new_ones_ends_the_run()
    {
        await using var running = await StartAsync(TimeSpan.FromMinutes(10));
        ProcessIdentities.Signal(await GvproxyAsync(), Signals.Kill);

        var fault = (await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(TimeSpan.FromMinutes(2), Token))).Faults[0];

        fault.Code.ShouldBe("network.guest-unconnected");
        fault.What.ShouldContain("replaced 2 times");
        Events().Where(name => name.StartsWith("gvproxy.", StringComparison.Ordinal)).ShouldBe([EventNames.GvproxyEnded, EventNames.GvproxyRestarted, EventNames.GvproxyEnded, EventNames.GvproxyRestarted]);
        Gvproxies().ShouldBeEmpty();
    }

    [Fact(Timeout = 180_000)]
    public async Task Of_those_that_end_while_a_machine_is_given_up_none_is_left()
    {
        // Four times that is waited for a guest without processor time: by then the pauses are seconds long.
        var budget = TimeSpan.FromSeconds(1.8);
        await using var running = await StartAsync(budget);

        // Again and again, each once it has been started: so the next is paused for, or just begun, when the machine is given up.
        while (!Events().Contains(EventNames.MachineHung) && !running.Completion.IsCompleted)
        {
            await StartedAsync(budget);
            if (!Events().Contains(EventNames.MachineHung) && (await StatusAsync())?.Processes.GetValueOrDefault(Roles.Gvproxy) is { } gvproxy)
                ProcessIdentities.Signal(gvproxy, Signals.Kill);
        }

        await Eventually.BeTrueAsync(() => running.Completion.IsCompleted || Events().Count(name => name == EventNames.MachineStarted) >= 2, "it is powered on again");
        if (running.Completion.IsCompleted)
            await running.Completion;
        await Eventually.BeTrueAsync(() => Gvproxies() is [var only] && only == StatusAsync().Result?.Processes.GetValueOrDefault(Roles.Gvproxy)?.Pid, "there is one gvproxy, and it is the one of the status");
        (await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(TimeSpan.FromMinutes(2), Token))).Faults[0].Code.ShouldBe("guest.hang");
        Gvproxies().ShouldBeEmpty();
    }

    /// <summary>Completes once no gvproxy is being started: a change of forwards waits for that, also one that comes to nothing.</summary>
    private async Task StartedAsync(TimeSpan budget)
    {
        try
        {
            await Instances(budget).RemovePortAsync("box", "1", Token);
        }
        catch (FaultException)
        {
            // There is no such forward.
        }
    }

    private LocalInstances Instances(TimeSpan budget)
    {
        if (!File.Exists(Python.Path))
            Assert.Skip($"{Python.Path} is missing (package python3)");
        var script = _folder.File("qemu");
        // Once: while it is written anew it is empty, and a machine that is powered on just then ends at once.
        if (!File.Exists(script))
            WriteScript(script);
        return new LocalInstances(new InstancesOptions
        {
            Directories = _folder.Directories,
            Host = Made.Host() with { Qemu = script, QemuImg = RealTools.QemuImg, Gvproxy = RealTools.Gvproxy },
            Images = new EmptyImages(_folder),
            UsesGolden = false,
            HelloBudget = budget,
            Shutdown = new ShutdownLimits { Accept = TimeSpan.FromMilliseconds(100), PowerOff = TimeSpan.FromMilliseconds(100), PowerDown = TimeSpan.FromMilliseconds(100) },
        });
    }

    private static void WriteScript(string script)
    {
        File.WriteAllText(
            script,
            $"""
            #!{Python.Path}
            import re, runpy, sys
            path = next(re.search("id=qmp,path=([^,]*)", each) for each in sys.argv if "id=qmp" in each)[1]
            sys.argv = [sys.argv[0], path, "quit", "term"]
            runpy.run_path("{Path.Combine(AppContext.BaseDirectory, "stand-in-qemu.py")}", run_name="__main__")
            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private async Task<IRunningInstance> StartAsync(TimeSpan budget)
    {
        var running = await Instances(budget).RunAsync(new InstanceConfig { Name = "box", Vcpus = 1, MemoryMib = 2048, GatewayPort = 0, Distribution = "upstream" }, cancellationToken: Token);
        await Eventually.BeTrueAsync(() => running.Completion.IsCompleted || (File.Exists(EventsFile) && Events().Contains(EventNames.MachineStarted)), "the machine is powered on");
        if (running.Completion.IsCompleted)
            await running.Completion;
        return running;
    }

    private Task<InstanceStatus?> StatusAsync() => Instances(default).FindAsync("box", Token);

    private async Task<ProcessIdentity> GvproxyAsync() => (await StatusAsync()).ShouldNotBeNull().Processes[Roles.Gvproxy];

    /// <summary>Those that serve this test's folder, by their command lines.</summary>
    private int[] Gvproxies() =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var pid) ? pid : 0)
            .Where(pid => pid > 0 && ProcessIdentities.Of(pid) is not null && CommandLine(pid) is var line && line.Contains(_folder.Path, StringComparison.Ordinal) && line.Split('\0')[0].EndsWith("gvproxy", StringComparison.Ordinal)),
    ];

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private string EventsFile => Path.Combine(_folder.Path, "instances", "box", "events.jsonl");

    private string[] Events() => [.. File.ReadLines(EventsFile).Select(line => JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent)!.Event)];

    /// <summary>Files that nobody boots.</summary>
    private sealed class EmptyImages(TestFolder folder) : IImages
    {
        public Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default) => Task.FromResult<ImageSet?>(Set());

        public Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => Task.FromResult(Set());

        public Task<KernelImage> EnsureKernelAsync(string? architecture = null, bool refresh = false, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<IReadOnlyList<Vm.Kernels.KernelColumn>> KernelsAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<Vm.Kernels.KernelColumn> StockKernelAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        private ImageSet Set()
        {
            foreach (var name in new[] { "kernel", "initramfs", "root.img" })
                File.WriteAllText(folder.File(name), name);
            return new ImageSet { Kernel = folder.File("kernel"), Initramfs = folder.File("initramfs"), Root = folder.File("root.img"), Key = "0123456789abcdef" };
        }
    }
}

using System.Globalization;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

// Each verb is one thing that a test needs another process for.
return args switch
{
    ["kvm-probe"] => KvmProbe.RunInThisProcess(),
    ["hold-lock", var data, var name] => HoldLock(data, name, null),
    ["hold-lock", var data, var name, var purpose] => HoldLock(data, name, purpose),
    ["supervise-sleep", var seconds, var log] => SuperviseSleep(seconds, log),
    ["churn-config", var data, var name] => ChurnConfig(data, name),
    ["hold-instance", var data, var name, var request] => HoldInstance(data, name, request),
    ["supervise-later", var data, var gate, var name, var request] => SuperviseLater(data, gate, name, request),
    ["fill-disk", var folder] => FillDisk(folder),
    _ => 2,
};

static HostDirectories Directories(string data) => new() { Data = data, Cache = data + "/cache", OpenShellConfig = data + "/config", Runtime = data + "/run", Kube = data + "/kube" };

static InstanceFiles Files(string data, string name) => InstanceFiles.For(Directories(data), InstanceName.Parse(name));

// Takes an instance's lock, says so, and keeps it until its stdin ends; or says why it cannot have it.
static int HoldLock(string data, string name, string? purpose)
{
    try
    {
        using var held = InstanceLock.Acquire(Files(data, name), name, purpose);
        Console.WriteLine("held");
        while (Console.In.Read() >= 0)
        {
        }

        return 0;
    }
    catch (FaultException e)
    {
        Console.WriteLine(e.Faults[0].What);
        return 1;
    }
}

// Starts a child as the supervisor does, says its number, and waits to be killed.
static int SuperviseSleep(string seconds, string log)
{
    var child = ChildProcess.Start(new LaunchSpec { Title = "sleep", Program = "/bin/sleep", Arguments = [seconds], LogFile = log });
    Console.WriteLine(child.Identity.Pid.ToString(CultureInfo.InvariantCulture));
    child.Exited.Wait();
    return 0;
}

// Rewrites a configuration as fast as it can, with contents of two very different lengths.
static int ChurnConfig(string data, string name)
{
    var files = Files(data, name);
    InstanceStore.CreateFolders(files);
    Console.WriteLine("going");
    var ports = Enumerable.Range(2000, 500).Select(p => new PortForward { HostPort = p, GuestPort = p }).ToArray();
    for (var i = 0; ; i++)
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = name, Ports = i % 2 == 0 ? ports : [] });
}

// A supervisor without a machine: takes the instance as the real one does, is ready at once, and stays until it is killed.
static int HoldInstance(string data, string name, string request)
{
    var files = Files(data, name);
    try
    {
        using var held = InstanceLock.Acquire(files, name);
        InstanceStore.WriteConfig(files, StartRequests.Take(request, name));
        InstanceStore.WriteStatus(files, new InstanceStatus
        {
            Name = name,
            Phase = InstancePhase.Ready,
            Processes = new Dictionary<string, ProcessIdentity> { [Roles.Supervisor] = ProcessIdentities.Current },
        });
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }
    catch (FaultException)
    {
        return LocalInstances.NotOurs;
    }
}

// The real supervisor, which takes its time before it begins: it removes a file, and waits until somebody makes it again.
static int SuperviseLater(string data, string gate, string name, string request)
{
    File.Delete(gate);
    SpinWait.SpinUntil(() => File.Exists(gate));
    return new LocalInstances(new InstancesOptions { Directories = Directories(data) }).SuperviseAsync(name, request).GetAwaiter().GetResult();
}

// On a file system of its own that is filled to the last byte: an event, a stage and a status that find no room, and what of them is there when there is room again.
static int FillDisk(string folder)
{
    var files = Files(folder, "test");
    InstanceStore.CreateFolders(files);
    using var events = new EventLog(files.Events, "test", TimeProvider.System);
    using var timeline = new TimelineRecorder(files.Timeline, null, TimeProvider.System);
    var board = new StatusBoard(files, new InstanceStatus { Name = "test", Phase = InstancePhase.Starting }, keep: true);
    board.Change(status => status with { Phase = InstancePhase.Ready });
    var ballast = folder + "/ballast";
    using (var file = new FileStream(ballast, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
    {
        for (var block = 4096; block > 0; block = Try(() => file.Write(new byte[block])) ? block : block / 2)
        {
        }
    }

    // Pages that are there already have room of their own.
    for (var i = 0; i < 200; i++)
        events.Report(EventNames.DiskNearlyFull, $"full {i}");
    Console.WriteLine(Try(() => board.Change(status => status with { Restarts = 1 })) ? "written" : "refused");
    Console.WriteLine(Try(() => FillTimeline(timeline)) ? "recorded" : "refused");
    board.MayBeUnwritten = timeline.MayBeUnwritten = true;
    board.Change(status => status with { Restarts = 2 });
    FillTimeline(timeline);
    File.Delete(ballast);
    board.WriteAgain();
    events.Report(EventNames.DiskRoomAgain, "room");
    Console.WriteLine(InstanceStore.ReadStatus(files)!.Restarts.ToString(CultureInfo.InvariantCulture));
    foreach (var line in File.ReadLines(files.Events))
        Console.WriteLine(System.Text.Json.JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent)!.Message);
    return 0;
}

static void FillTimeline(TimelineRecorder timeline)
{
    for (var i = 0; i < 100; i++)
        timeline.Started("image", "detail");
}

static bool Try(Action action)
{
    try
    {
        action();
        return true;
    }
    catch (Exception e) when (e is IOException or FaultException)
    {
        return false;
    }
}

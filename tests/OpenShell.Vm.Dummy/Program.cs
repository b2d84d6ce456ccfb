using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;

// Each verb is one thing that a test needs another process for.
return args switch
{
    ["kvm-probe"] => KvmProbe.RunInThisProcess(),
    ["hold-lock", var data, var name] => HoldLock(data, name),
    ["supervise-sleep", var seconds, var log] => SuperviseSleep(seconds, log),
    ["churn-config", var data, var name] => ChurnConfig(data, name),
    ["hold-instance", var data, var name, var request] => HoldInstance(data, name, request),
    _ => 2,
};

static InstanceFiles Files(string data, string name) => InstanceFiles.For(
    new HostDirectories { Data = data, Cache = data + "/cache", OpenShellConfig = data + "/config", Runtime = data + "/run", Kube = data + "/kube" },
    InstanceName.Parse(name));

// Takes an instance's lock, says so, and keeps it until its stdin ends; or says why it cannot have it.
static int HoldLock(string data, string name)
{
    try
    {
        using var held = InstanceLock.Acquire(Files(data, name), name);
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
        InstanceStore.WriteConfig(files, InstanceStore.TakeRequest(request));
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

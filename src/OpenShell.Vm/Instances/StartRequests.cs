using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Instances;

/// <summary>
/// The files by which <see cref="IInstances.StartDetachedAsync"/> says to the supervisor that it starts what to run. Until that supervisor has the instance's lock, its file is all that there is of
/// the start: who removes it has taken the start back.
/// </summary>
internal static class StartRequests
{
    /// <summary>The code of the fault that an instance was stopped before it was ready.</summary>
    internal const string StoppedCode = "instance.stopped-meanwhile";

    /// <summary>Takes one, with the lock held: what was asked.</summary>
    /// <exception cref="FaultException">It was taken back (<see cref="StoppedCode"/>), or cannot be read.</exception>
    internal static InstanceConfig Take(string request, string name)
    {
        if (!File.Exists(request))
            throw Stopped(name);
        var config = InstanceStore.ReadRequest(request);
        File.Delete(request);
        return config;
    }

    /// <summary>Takes back all that nobody has taken.</summary>
    internal static void TakeBack(InstanceFiles files)
    {
        foreach (var request in All(files))
            File.Delete(request);
    }

    /// <summary>Removes those of starts that were killed before their supervisor had read them.</summary>
    internal static void RemoveOld(InstanceFiles files)
    {
        foreach (var request in All(files).Where(request => DateTime.UtcNow - File.GetLastWriteTimeUtc(request) > TimeSpan.FromHours(1)))
            File.Delete(request);
    }

    /// <summary>Removes one, if it is still there.</summary>
    internal static void Remove(string? request)
    {
        // Its folder may be gone with the instance.
        if (File.Exists(request))
            File.Delete(request);
    }

    /// <summary>Says that somebody stopped it.</summary>
    internal static FaultException Stopped(string name) => new(new Fault
    {
        Code = StoppedCode,
        What = $"Instance {name} was stopped while it was being started.",
        Remedy = $"If that was not meant, start it again with 'gateway up --detach --name {name}'; 'gateway events --name {name}' tells what happened.",
    });

    private static string[] All(InstanceFiles files) => Directory.GetFiles(files.Root, Path.GetFileName(files.StartRequest("*")));
}

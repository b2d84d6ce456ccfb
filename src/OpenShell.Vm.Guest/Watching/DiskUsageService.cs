using System.Text.Json;
using OpenShell.Vm.Guest.Power;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>Says how full the guest's state disk is: the only one that can fill up and is kept.</summary>
internal static class DiskUsageService
{
    private const string MountInfo = "/proc/self/mountinfo";

    /// <summary>Answers one request.</summary>
    public static Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(new DiskUsageReply(Read(File.ReadAllText(MountInfo), GuestPaths.State)), ProtocolJson.Default.DiskUsageReply));

    /// <summary>The file system that is mounted at exactly that place; without one there would be that of the folder above.</summary>
    internal static IReadOnlyList<DiskUsage> Read(string mountInfo, string path)
    {
        if (!Unmounter.Plan(mountInfo).Any(mounted => mounted.Target == path))
            return [];
        var drive = new DriveInfo(path);
        return [new DiskUsage(path, drive.TotalSize, drive.AvailableFreeSpace)];
    }
}

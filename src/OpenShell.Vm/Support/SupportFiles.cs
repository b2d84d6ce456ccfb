using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Logs;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Support.Redaction;

namespace OpenShell.Vm.Support;

/// <summary>Which files of the host belong into a support bundle. Found by their names alone: an instance whose files cannot be read has them too. Disks, memory and keys are never among them.</summary>
public sealed class SupportFiles(HostDirectories directories)
{
    /// <summary>Files of the host itself: logs of image builds.</summary>
    public IReadOnlyList<SupportItem> OfHost()
    {
        var logs = new CacheLayout(directories.Cache).Logs;
        return Directory.Exists(logs)
            ? [.. Directory.EnumerateFiles(logs, "*.log").Order(StringComparer.Ordinal).SelectMany(path => Item("host/build-logs/" + Path.GetFileName(path), path, SupportContent.Text))]
            : [];
    }

    /// <summary>Files of an instance.</summary>
    /// <exception cref="Faults.FaultException">It cannot have any: the name is none.</exception>
    public IReadOnlyList<SupportItem> OfInstance(string name)
    {
        var files = InstanceFiles.For(directories, InstanceName.Parse(name));
        return
        [
            .. new[] { files.Config, files.Origin, files.Plan, files.Status, files.Fault }.SelectMany(path => Item(path, SupportContent.Json)),
            .. Log(files.Timeline, SupportContent.JsonLines),
            .. Log(files.Events, SupportContent.JsonLines),
            .. new[] { files.SupervisorLog, files.ConsoleLog, files.VmmLog, files.KrunLog, files.GvproxyLog, files.VirtiofsdLog }.SelectMany(path => Log(path, SupportContent.Text)),
            .. Attempts(files).SelectMany(path => Item(path, SupportContent.Text)),
            .. Item("instance/kubeconfig.yaml", Kubeconfig.PathFor(directories, name), SupportContent.Yaml),
            .. Item("instance/gateway-metadata.json", Path.Combine(Path.GetDirectoryName(new GatewayRegistration(directories, name).MtlsFolder)!, "metadata.json"), SupportContent.Json),
        ];
    }

    /// <summary>What lies in an instance's folder, as a text: names, sizes, modes, times.</summary>
    public string Listing(string name)
    {
        var files = InstanceFiles.For(directories, InstanceName.Parse(name));
        return string.Concat(new[] { files.Root, files.Run }.Where(Directory.Exists).Select(folder => $"{folder}:\n" + string.Concat(new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal).Select(Line)) + "\n"));

        static string Line(FileSystemInfo entry) => FormattableString.Invariant(
            $"  {Convert.ToString((int)entry.UnixFileMode, 8),5} {(entry is FileInfo file ? file.Length : 0),14} {(entry is FileInfo { LinkTarget: null } ? HostFiles.AllocatedBytes(entry.FullName) : 0),14} {entry.LastWriteTimeUtc:yyyy-MM-dd HH:mm:ss}Z {entry.Name}{(entry.LinkTarget is { } target ? $" -> {target}" : "")}\n");
    }

    private static IEnumerable<string> Attempts(InstanceFiles files) => [.. Enumerable.Range(1, 9).Select(files.ConsoleOfAttempt), .. Enumerable.Range(1, LostConsoles.Kept).Select(files.ConsoleOfLost)];

    // Older parts first, as they are read.
    private static IEnumerable<SupportItem> Log(string path, SupportContent content) => LogRotation.Parts(path).Append(path).SelectMany(part => Item(part, content));

    private static IEnumerable<SupportItem> Item(string path, SupportContent content) => Item("instance/" + Path.GetFileName(path), path, content);

    private static IEnumerable<SupportItem> Item(string name, string path, SupportContent content)
    {
        if (new FileInfo(path) is { Exists: true } file)
            yield return new HostFileItem(name, content, path, file.Length);
    }
}

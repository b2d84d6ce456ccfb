using System.Diagnostics;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Files;
using OpenShell.Vm.Files.Receiving;
using OpenShell.Vm.Files.Sending;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Guests.Tar;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Copying;

/// <summary>Copies, and shows how far it is.</summary>
internal sealed class CopyFlow(CommandContext context, CopyRequest request)
{
    /// <summary>Left free on the disk that a guest's files are written to: a full one would hurt more than the copy.</summary>
    private const long Reserve = 256L << 20;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (!request.IsArchive && !OperatingSystem.IsLinux())
            throw new FaultException(new Fault { Code = "files.system", What = "Files are copied straight to and from folders on Linux only.", Remedy = "Use '-' and tar: gateway cp :/PATH - | tar -xf -" });
        if (request is { IsArchive: true, IntoGuest: false } && context.Host.OutIsTerminal)
            throw new FaultException(UsageFaults.Make("A tar archive would be written to the terminal.", "Redirect it: gateway cp :/PATH - > files.tar"));
        await using var agent = await context.Host.Instances.ConnectAsync(request.Instance, cancellationToken);
        var clock = Stopwatch.StartNew();
        TreeSummary summary;
        using (var progress = new CopyProgress(context))
            summary = await (request.IntoGuest ? SendAsync(agent, progress, cancellationToken) : ReceiveAsync(agent, progress, cancellationToken));
        if (!context.Quiet)
            await context.Host.Error.WriteLineAsync(Text(summary, clock.Elapsed));
        return ExitCodes.Success;
    }

    private Task<TreeSummary> SendAsync(IGuestAgent agent, CopyProgress progress, CancellationToken cancellationToken)
    {
        if (request.IsArchive)
        {
            return agent.WriteTreeAsync(
                new TreeWriteRequest(WithoutDot(request.GuestPath), "", Contents: true),
                (stream, token) => TarSource.SendAsync(LocalStreams.Stdin, stream, progress, token),
                cancellationToken);
        }

        var local = WithoutDot(request.LocalPath);
        return agent.WriteTreeAsync(
            new TreeWriteRequest(WithoutDot(request.GuestPath), NameOf(Path.GetFullPath(local)), IsContents(request.LocalPath)),
            (stream, token) => DiskSource.SendAsync(Path.GetFullPath(local), request.FollowLink, stream, progress, token),
            cancellationToken);
    }

    private async Task<TreeSummary> ReceiveAsync(IGuestAgent agent, CopyProgress progress, CancellationToken cancellationToken)
    {
        // The name is the one that the user wrote: the guest has no say in where its files go.
        var source = WithoutDot(request.GuestPath);
        var contents = IsContents(request.GuestPath);
        var name = NameOf(source);
        var limits = new TreeLimits();
        ITreeSink sink;
        if (request.IsArchive)
        {
            sink = new TarSink(LocalStreams.Stdout, contents ? "" : name);
        }
        else
        {
            var local = Path.GetFullPath(WithoutDot(request.LocalPath));
            sink = new DiskSink(new TreeDestination { Path = local, Name = name, Contents = contents });
            limits = limits with { MaxBytes = Room(local) };
        }

        if (request.MaxSize is { } size)
            limits = limits with { MaxBytes = Math.Min(size, limits.MaxBytes), MaxLength = size };
        await using (sink)
            return await agent.ReadTreeAsync(new TreeReadRequest(source, request.FollowLink), sink, limits, progress, cancellationToken);
    }

    /// <summary>What fits on the disk of the nearest folder that is there.</summary>
    private static long Room(string path)
    {
        var folder = path;
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent)
            folder = parent;
        try
        {
            return Math.Max(0, new DriveInfo(folder).AvailableFreeSpace - Reserve);
        }
        catch (IOException)
        {
            return long.MaxValue;
        }
    }

    private static bool IsContents(string path) => path is "." || path.EndsWith("/.", StringComparison.Ordinal);

    // "folder/." keeps its slash: it must be a folder.
    private static string WithoutDot(string path) => path.EndsWith("/.", StringComparison.Ordinal) ? path[..^1] : path;

    private static string NameOf(string path) => Path.GetFileName(path.TrimEnd('/'));

    private static string Text(TreeSummary summary, TimeSpan elapsed) =>
        $"Copied {summary.Entries} {(summary.Entries == 1 ? "entry" : "entries")}, {Units.Size(summary.Bytes)}, in {Units.Time(elapsed)}." +
        (summary.LeftOut > 0 ? $" {summary.LeftOut} devices, sockets or pipes were left out." : "");
}

using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Disks;

/// <summary>qemu-img (https://www.qemu.org/docs/master/tools/qemu-img.html), as far as it is used here. What it says goes to the instance's log of QEMU.</summary>
internal sealed class QemuImg
{
    private static readonly TimeSpan MapLimit = TimeSpan.FromMinutes(1);

    private readonly string _program;

    private QemuImg(string program) => _program = program;

    /// <summary>The host's.</summary>
    /// <exception cref="FaultException">It has none (<c>host.no-qemu-img</c>).</exception>
    internal static QemuImg Require(string? program = null) => new(program ?? RuntimeTools.FindQemuImg() ?? throw new FaultException(new Fault
    {
        Code = "host.no-qemu-img",
        What = "There is no qemu-img on this host.",
        Remedy = "Run 'sudo ./gateway setup', which installs it (package qemu-utils).",
    }));

    /// <summary>Makes an empty image that stands on another.</summary>
    /// <param name="path">The new image.</param>
    /// <param name="backing">As it is to be written into it: relative to the folder of the image.</param>
    /// <param name="format">What that is.</param>
    /// <param name="log">Where its words go.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal Task CreateOverAsync(string path, string backing, DiskFormat format, string log, CancellationToken cancellationToken) =>
        RunAsync(["create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", "-b", backing, "-F", NameOf(format), path], path, log, cancellationToken);

    /// <summary>Copies an image with all that it stands on into one that stands on nothing, or on the same as before; what was never written, or is zeros, takes no space.</summary>
    internal Task CopyAsync(string from, string to, bool keepBacking, string log, CancellationToken cancellationToken)
    {
        string[] backing = keepBacking && DiskImage.BackingOf(from) is { } below
            ? ["-B", Path.GetRelativePath(Path.GetDirectoryName(to)!, below), "-F", NameOf(DiskImage.IsRaw(below) ? DiskFormat.Raw : DiskFormat.Qcow2)]
            : [];
        return RunAsync(["convert", "-q", "-f", NameOf(DiskImage.IsRaw(from) ? DiskFormat.Raw : DiskFormat.Qcow2), "-O", "qcow2", "-o", "lazy_refcounts=on", .. backing, from, to], to, log, cancellationToken);
    }

    /// <summary>Makes an image stand on something that is below what it stands on now: it then has itself what was in between.</summary>
    internal Task StandOnAsync(string path, string below, string log, CancellationToken cancellationToken) =>
        RunAsync(["rebase", "-q", "-f", "qcow2", "-b", Path.GetRelativePath(Path.GetDirectoryName(path)!, below), "-F", NameOf(DiskImage.IsRaw(below) ? DiskFormat.Raw : DiskFormat.Qcow2), path], path, log, cancellationToken);

    /// <summary>Makes an image larger, as the guest sees it.</summary>
    internal Task GrowAsync(string path, int gib, string log, CancellationToken cancellationToken) =>
        RunAsync(["resize", "-q", "-f", NameOf(DiskImage.IsRaw(path) ? DiskFormat.Raw : DiskFormat.Qcow2), path, string.Create(CultureInfo.InvariantCulture, $"{gib}G")], path, log, cancellationToken);

    /// <summary>Whether anything was written to an image since it was made to stand on another.</summary>
    internal async Task<bool> IsUntouchedAsync(string path, CancellationToken cancellationToken)
    {
        var map = await CapturedProcess.RunAsync([_program, "map", "--output=json", "-f", "qcow2", path], MapLimit, cancellationToken).ConfigureAwait(false);
        if (map is null)
            return false;
        using var json = System.Text.Json.JsonDocument.Parse(map);

        // Depth 0 is the image itself; what lies deeper, or nowhere, is not its own.
        return !json.RootElement.EnumerateArray().Any(e => e.GetProperty("depth").GetInt32() == 0 && e.GetProperty("present").GetBoolean());
    }

    private async Task RunAsync(string[] arguments, string path, string log, CancellationToken cancellationToken)
    {
        var spec = new LaunchSpec { Title = "qemu-img", Program = _program, Arguments = arguments, LogFile = log };
        await using var child = ChildProcess.Start(spec);
        var reason = await child.Exited.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (reason.Code != 0)
        {
            throw new FaultException(new Fault
            {
                Code = "disk.tool-failed",
                What = $"qemu-img {reason} while it worked on {path} ({arguments[0]}).{child.LastWords}",
                Remedy = "See that the folder is writable and the disk is not full; nothing was changed.",
                Log = log,
            });
        }
    }

    private static string NameOf(DiskFormat format) => format == DiskFormat.Raw ? "raw" : "qcow2";
}

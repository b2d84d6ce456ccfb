namespace OpenShell.Vm.Guest.Capabilities;

/// <summary>Something that the kernel must be able to do, and how one sees that it is.</summary>
/// <param name="Option">The kernel option that gives it, such as <c>CONFIG_OVERLAY_FS</c>.</param>
/// <param name="Purpose">Who needs it, for the message.</param>
/// <param name="Evidence">Where to look.</param>
/// <param name="Subject">What to look for there.</param>
internal sealed record Capability(string Option, string Purpose, Evidence Evidence, string Subject);

/// <summary>Where it shows that a kernel can do something.</summary>
internal enum Evidence
{
    /// <summary>A line of <c>/proc/filesystems</c>.</summary>
    FileSystem,

    /// <summary>A file or folder exists.</summary>
    Path,

    /// <summary>A word of <c>/sys/fs/cgroup/cgroup.controllers</c>.</summary>
    Controller,

    /// <summary>A module that is loaded or built in.</summary>
    Module,
}

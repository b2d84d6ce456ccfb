using OpenShell.Gateway.Cli.Doctor;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Gateway.Cli.Json;

/// <summary>Where the kubeconfig of an instance is.</summary>
internal sealed record KubeconfigView(string Name, string Path);

/// <summary>The timeline of an instance's last start.</summary>
internal sealed record TimelineView(string Name, IReadOnlyList<TimelineEventView> Events);

/// <summary>One event; times in seconds since the start of the instance.</summary>
internal sealed record TimelineEventView(string Stage, StageState State, DateTimeOffset At, double ElapsedSeconds, double? GuestUptimeSeconds, double? Progress, string? Detail)
{
    public static TimelineEventView Of(TimelineEvent e) => new(
        e.Stage,
        e.State,
        e.At,
        Units.Seconds(e.Elapsed),
        e.GuestUptime is { } uptime ? Units.Seconds(uptime) : null,
        e.Progress,
        e.Detail);
}

/// <summary>What <c>doctor</c> found, and with <c>--fix</c> did.</summary>
internal sealed record DoctorView(bool Ok, IReadOnlyList<CheckResult> Checks, IReadOnlyList<RepairView>? Repairs = null);

/// <summary>Something that <c>doctor --fix</c> did, or why it did not.</summary>
internal sealed record RepairView(string Check, string What, bool Done, string? Problem);

/// <summary>What <c>setup</c> installed, or would install.</summary>
internal sealed record SetupView(bool Ready, IReadOnlyList<PackageView> Packages);

/// <summary>A package that is missing, or too old.</summary>
internal sealed record PackageView(string Name, string Why, string? Suite, string? Installed);

/// <summary>A support bundle that was made, or with <c>--dry-run</c> would be.</summary>
internal sealed record SupportView(string File, string? Instance, bool Written, IReadOnlyList<SupportEntryView> Contents, IReadOnlyList<string> Problems);

/// <summary>One file in it.</summary>
internal sealed record SupportEntryView(string Name, string From, long? Bytes, int? Redactions, string? Problem);

/// <summary>What this program and the machine around it are, in a support bundle.</summary>
internal sealed record VersionsView(
    string Gateway,
    string DotNet,
    string OperatingSystem,
    string? Release,
    string Kernel,
    string Architecture,
    int Cores,
    DateTimeOffset Now,
    IReadOnlyList<Vm.Runtime.RuntimePart> Parts,
    IReadOnlyDictionary<string, string> Environment);

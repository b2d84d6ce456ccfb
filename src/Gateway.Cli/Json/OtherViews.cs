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

/// <summary>What <c>doctor</c> found.</summary>
internal sealed record DoctorView(bool Ok, IReadOnlyList<CheckResult> Checks);

/// <summary>What <c>setup</c> installed, or would install.</summary>
internal sealed record SetupView(bool Ready, IReadOnlyList<PackageView> Packages);

/// <summary>A package that is missing, or too old.</summary>
internal sealed record PackageView(string Name, string Why, string? Suite, string? Installed);

using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>What is killed.</summary>
public enum Victim
{
    /// <summary><c>kill -9</c> of the supervisor.</summary>
    Supervisor,

    /// <summary><c>kill -9</c> of QEMU.</summary>
    Qemu,

    /// <summary><c>kill -9</c> of gvproxy.</summary>
    Gvproxy,

    /// <summary><c>kill -9</c> of a program in the guest.</summary>
    Service,

    /// <summary>Everything at once, and of what was written to the disk only what was flushed is there afterwards.</summary>
    Power,

    /// <summary>The same, and of what was not flushed some sectors are there all the same: a disk may write in any order.</summary>
    TornPower,
}

/// <summary>One case of the matrix.</summary>
/// <param name="Victim">What is killed.</param>
/// <param name="Moment">When: a stage of <see cref="BootStages"/>, once it has begun, or <see cref="Steady"/>.</param>
/// <param name="Service">Which program of the guest.</param>
/// <param name="Cold">On the first start of an instance, whose disk is empty; at <see cref="Resuming"/> one that begins as a copy of a golden image.</param>
public sealed record KillCase(Victim Victim, string Moment, string? Service = null, bool Cold = false)
{
    /// <summary>Ready, and busy with writing.</summary>
    public const string Steady = "steady";

    /// <summary>In each stage of one start in which services run, again and again: they are put right while it goes on.</summary>
    public const string EachStage = "each stage of a start";

    /// <summary>
    /// While it is suspended: its guest is being prepared; its memory is being written; it is written, and its machine has ended, but it is not in its place. While it goes on from there. While a clone is made of it as it runs: its memory is being
    /// written; it lies still.
    /// </summary>
    public const string Suspending = "suspend", Saving = "suspend, its memory being written", Committing = "suspend, its memory written", Resuming = "resume", Cloning = "clone, its memory being written", Napping = "clone, at rest";

    /// <summary>The stages of a start from the disk.</summary>
    private static readonly string[] Boot = [.. BootStages.All.Where(stage => stage != BootStages.Resume)];

    /// <summary>Those in which there is a machine.</summary>
    private static IEnumerable<string> WithMachine => Boot.SkipWhile(stage => stage != BootStages.Vmm);

    /// <summary>Those in which there are services.</summary>
    internal static IEnumerable<string> WithServices => Boot.SkipWhile(stage => stage != BootStages.Services);

    private static readonly string[] Services =
        ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "containerd", "dns", "dns-records", "dhcp", "api-front"];

    /// <summary>Such as <c>qemu at services</c>.</summary>
    public override string ToString() => $"{(Service ?? Victim.ToString()).ToLowerInvariant()} at {Moment}{(Cold ? " of a first start" : "")}";

    /// <summary>The machine's power goes.</summary>
    internal bool IsPowerCut => Victim is Victim.Power or Victim.TornPower;

    /// <summary>Someone is there who puts it right, and the machine runs on.</summary>
    internal bool IsHealed => Victim is Victim.Gvproxy or Victim.Service;

    /// <summary>Something is done with its memory.</summary>
    internal bool IsOfMemory => Moment is Suspending or Saving or Committing or Resuming or Cloning or Napping;

    /// <summary>Everything: some 90 cases, three hours and more under emulation.</summary>
    public static IEnumerable<KillCase> All =>
    [
        .. Boot.Append(Steady).Select(moment => new KillCase(Victim.Supervisor, moment)),
        .. WithMachine.Append(Steady).SelectMany(moment => (KillCase[])[new(Victim.Qemu, moment), new(Victim.Gvproxy, moment), new(Victim.Power, moment), new(Victim.TornPower, moment)]),
        .. ((string[])[Suspending, Saving, Committing, Resuming, Cloning, Napping]).Select(moment => new KillCase(Victim.Supervisor, moment)),
        .. ((string[])[Suspending, Saving, Resuming, Cloning]).Select(moment => new KillCase(Victim.Qemu, moment)),
        new(Victim.Power, Saving),
        new(Victim.TornPower, Saving),
        .. Services.SelectMany(service => (KillCase[])[new(Victim.Service, EachStage, service), new(Victim.Service, Steady, service)]),
        .. ((string[])[BootStages.Init, BootStages.Services, BootStages.Gateway]).SelectMany(moment => (KillCase[])[new(Victim.Supervisor, moment, Cold: true), new(Victim.TornPower, moment, Cold: true)]),

        // Last: where QEMU is killed, what boots in its place has no front, which is a service of copies.
        new(Victim.Supervisor, Resuming, Cold: true),
        new(Victim.Qemu, Resuming, Cold: true),
    ];

    /// <summary>What every run of the tests tries, and never fewer than eight: each victim, early, late, at work, and while memory is saved.</summary>
    public static IEnumerable<KillCase> Sample =>
    [
        new(Victim.Supervisor, BootStages.Services),
        new(Victim.Qemu, BootStages.Init),
        new(Victim.Qemu, Steady),
        new(Victim.Gvproxy, Steady),
        new(Victim.Service, Steady, "etcd"),
        new(Victim.Service, Steady, "containerd"),
        new(Victim.Power, BootStages.Services),
        new(Victim.TornPower, Steady),
        new(Victim.Supervisor, Saving),
    ];
}

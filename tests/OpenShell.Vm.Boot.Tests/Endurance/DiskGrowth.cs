using System.Globalization;

namespace OpenShell.Vm.Boot.Tests.Endurance;

/// <summary>What a disk held after a cycle, in bytes; apart what grows in its own way.</summary>
/// <param name="Allocated">What it takes on the host, after the stop. Nothing trims it meanwhile.</param>
/// <param name="Used">What its file system has in use, after the stop.</param>
/// <param name="Database">etcd's folder, before the stop.</param>
/// <param name="Logs">Those of services and pods, before the stop.</param>
/// <param name="Volumes">The user's own files, before the stop.</param>
/// <param name="Rest">All other files, before the stop.</param>
internal sealed record DiskContent(long Allocated, long Used, long Database, long Logs, long Volumes, long Rest)
{
    public override string ToString() =>
        $"{DiskGrowth.Mib(Allocated)} allocated, {DiskGrowth.Mib(Used)} used: database {DiskGrowth.Mib(Database)}, logs {DiskGrowth.Mib(Logs)}, volumes {DiskGrowth.Mib(Volumes)}, rest {DiskGrowth.Mib(Rest)}";
}

/// <summary>How much a disk may take on by stops and starts: so much in all, however many they are, so that what grows by the same with each start is found by enough of them.</summary>
internal static class DiskGrowth
{
    private const long Mebibyte = 1 << 20;

    /// <summary>
    /// Containers, pods and their records: those of a start replace those of the one before (the kubelet keeps one dead container of each). What is allowed is what containerd's database and folders
    /// take on before they use again what they have freed.
    /// </summary>
    internal const long Rest = 16 * Mebibyte;

    /// <summary>
    /// A log is cut at 8 MiB (ServiceLog in the guest; containers' at 10 MiB, KubeletService), and that of a start is far from it: in a run of twenty they only grow, by what a dozen services say as they
    /// start. 3 MiB a start is much.
    /// </summary>
    internal const long Logs = 64 * Mebibyte;

    /// <summary>
    /// Its log is made in segments of 64 MB, as a whole (https://github.com/etcd-io/etcd/blob/v3.4.23/wal/wal.go), and the old ones go after 100,000 entries: a run comes to one more. Besides as much of
    /// history: the API server has it compacted after it has lived for ten minutes (twice the interval of
    /// https://github.com/kubernetes/kubernetes/blob/v1.20.2/staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go), which it does in no cycle.
    /// </summary>
    internal const long Database = 128 * Mebibyte;

    /// <summary>ext4's, on a disk of 20 GiB: it is written round and round, and each of its blocks is taken on the host when it was written once.</summary>
    internal const long Journal = 128 * Mebibyte;

    /// <summary>In a short run no more than this with each start, of whatever.</summary>
    internal const long EachTime = 24 * Mebibyte;

    private static readonly (string What, Func<DiskContent, long> Of, long Allowed)[] Allowances =
    [
        ("all that is neither the database's nor a log nor the user's", content => content.Rest, Rest),
        ("logs", content => content.Logs, Logs),
        ("the database", content => content.Database, Database),
        ("what is in use on the disk", content => content.Used - content.Volumes, Rest + Logs + Database),
        ("what the disk takes on the host", content => content.Allocated - content.Volumes, Rest + Logs + Database + Journal),
    ];

    /// <summary>What has grown by more than it may; empty where all is well.</summary>
    /// <param name="after">After each cycle. The first start makes what later ones find: from the second on counts what is added.</param>
    public static IReadOnlyList<string> Excess(IReadOnlyList<DiskContent> after)
    {
        var starts = after.Count - 2;
        return [.. from allowance in Allowances
            let grown = allowance.Of(after[^1]) - allowance.Of(after[1])
            let allowed = Math.Min(allowance.Allowed, starts * EachTime)
            where grown > allowed
            select $"{allowance.What}: {Mib(grown)} more after {starts} further starts, {Mib(allowed)} are allowed"];
    }

    internal static string Mib(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Mebibyte:0.0} MiB");
}

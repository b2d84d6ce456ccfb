namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>
/// Links the CNI programs that k3s unpacks at its first start to where containerd looks for them. They come a moment after k3s begins, and must be there before
/// the first pod.
/// </summary>
internal static class K3sCniPrograms
{
    // loopback is what containerd itself runs for every pod; bandwidth belongs to those that pods may ask for.
    private static readonly string[] Names = ["bridge", "host-local", "loopback", "portmap", "bandwidth"];

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>The folder of programs that k3s has unpacked; <see langword="null"/> while there is none. A folder <c>HASH-tmp</c> is being unpacked.</summary>
    public static string? FindPrograms(string unpacked)
    {
        if (!Directory.Exists(unpacked))
            return null;
        return new[] { Path.Combine(unpacked, "current") }
            .Concat(Directory.EnumerateDirectories(unpacked).Where(f => !f.EndsWith("-tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            .Select(f => Path.Combine(f, "bin"))
            .FirstOrDefault(f => File.Exists(Path.Combine(f, "bridge")));
    }

    /// <summary>Makes the links; those of a former version are replaced.</summary>
    public static void Link(string programs, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var name in Names.Where(n => File.Exists(Path.Combine(programs, n))))
        {
            var link = Path.Combine(target, name);
            File.Delete(link);
            File.CreateSymbolicLink(link, Path.Combine(programs, name));
        }
    }

    /// <summary>Waits for them and links them.</summary>
    /// <param name="layout">Where k3s unpacks.</param>
    /// <param name="since">Programs of a k3s that this boot does not run are linked by an older link <c>current</c>: wait until k3s has looked at it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task LinkWhenThereAsync(K3sLayout layout, Task since, CancellationToken cancellationToken)
    {
        // Those of the last boot are right as a rule, and pods may come early.
        if (FindPrograms(layout.Unpacked) is { } before)
            Link(before, layout.Of(K3sLayout.CniPrograms));
        else
            await WaitAndLinkAsync(layout, cancellationToken).ConfigureAwait(false);
        await since.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (FindPrograms(layout.Unpacked) is { } now)
            Link(now, layout.Of(K3sLayout.CniPrograms));
    }

    private static async Task WaitAndLinkAsync(K3sLayout layout, CancellationToken cancellationToken)
    {
        string? programs;
        while ((programs = FindPrograms(layout.Unpacked)) is null)
            await Task.Delay(LookEvery, cancellationToken).ConfigureAwait(false);
        Link(programs, layout.Of(K3sLayout.CniPrograms));
    }
}

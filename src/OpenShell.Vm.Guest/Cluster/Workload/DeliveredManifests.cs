using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Puts the manifests that were given along where the distribution looks for the user's.</summary>
internal static class DeliveredManifests
{
    /// <summary>Tells them from those that the user put there by hand.</summary>
    public const string Prefix = "delivered-";

    /// <summary>Replaces those of an earlier start; without any given along, those stay.</summary>
    public static void Place(Delivery delivery, string folder)
    {
        if (delivery.Index.Manifests.Count == 0)
            return;
        Mounter.MakeFolders(folder);
        var kept = new HashSet<string>();
        foreach (var manifest in delivery.Index.Manifests)
        {
            var target = Path.Combine(folder, Prefix + manifest.Name);
            File.Copy(delivery.PathOf(manifest.Entry), target + ".new", overwrite: true);
            File.Move(target + ".new", target, overwrite: true);
            kept.Add(target);
        }

        foreach (var old in Directory.GetFiles(folder, Prefix + "*").Where(f => !kept.Contains(f)))
            File.Delete(old);
    }
}

using System.Text;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Deliveries;

/// <summary>Mirrors as containerd reads them: https://github.com/containerd/containerd/blob/v1.6.20/docs/hosts.md, and for credentials docs/cri/registry.md beside it.</summary>
internal static class RegistryHosts
{
    /// <summary>The folder that containerd's configuration names.</summary>
    public const string Folder = "/etc/containerd/certs.d";

    /// <summary>Writes a file for each mirror.</summary>
    public static void Write(Delivery delivery, string folder = Folder)
    {
        foreach (var mirror in delivery.Index.Mirrors)
        {
            var place = Path.Combine(folder, mirror.Upstream == "*" ? "_default" : mirror.Upstream);
            Mounter.MakeFolders(place);
            File.WriteAllText(Path.Combine(place, "hosts.toml"), Hosts(mirror, mirror.Authorities is { } entry ? delivery.PathOf(entry) : null));
        }
    }

    /// <summary>One file <c>hosts.toml</c>.</summary>
    /// <param name="mirror">The mirror.</param>
    /// <param name="authorities">File with its certificate authorities.</param>
    public static string Hosts(DeliveredMirror mirror, string? authorities)
    {
        var text = new StringBuilder();
        text.Append("[host.").Append(Quoted(mirror.Url)).Append("]\n  capabilities = [\"pull\", \"resolve\"]\n");
        if (authorities is not null)
            text.Append("  ca = ").Append(Quoted(authorities)).Append('\n');
        if (mirror.SkipVerify)
            text.Append("  skip_verify = true\n");
        return text.ToString();
    }

    /// <summary>The part of containerd's configuration; empty without mirrors.</summary>
    public static string Configuration(DeliveryIndex index)
    {
        if (index.Mirrors.Count == 0)
            return "";
        var text = new StringBuilder();
        text.Append("[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = ").Append(Quoted(Folder)).Append('\n');
        foreach (var mirror in index.Mirrors.Where(m => m is { User: not null, Password: not null }).DistinctBy(m => new Uri(m.Url).Authority))
        {
            text.Append("[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.").Append(Quoted(new Uri(mirror.Url).Authority)).Append(".auth]\n")
                .Append("  username = ").Append(Quoted(mirror.User!)).Append("\n  password = ").Append(Quoted(mirror.Password!)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A basic string of TOML: https://toml.io/en/v1.0.0#string.</summary>
    private static string Quoted(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\')
                text.Append('\\').Append(c);
            else if (char.IsControl(c))
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                text.Append(c);
        }

        return text.Append('"').ToString();
    }
}

using System.Text;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>The files by which programs know names: the host's own, and who to ask for others.</summary>
internal static class NameFiles
{
    /// <summary>Sets the kernel's host name and <c>/etc/hostname</c>, <c>/etc/hosts</c>.</summary>
    public static void SetHostname(string name, string? address)
    {
        _ = Linux.SetHostName(name, (nuint)Encoding.UTF8.GetByteCount(name));
        Write("/etc/hostname", name + "\n");
        Write("/etc/hosts", Hosts(name, address));
    }

    /// <summary>Writes <c>/etc/resolv.conf</c>.</summary>
    public static void SetResolver(IReadOnlyList<string> servers, string? search = null) => Write("/etc/resolv.conf", Resolver(servers, search));

    /// <summary>The text of <c>/etc/hosts</c>.</summary>
    public static string Hosts(string name, string? address) =>
        $"127.0.0.1 localhost{(address is null ? " " + name : "")}\n::1 localhost ip6-localhost ip6-loopback\n{(address is null ? "" : $"{address} {name}\n")}";

    /// <summary>The text of <c>/etc/resolv.conf</c>; glibc reads three name servers at most (resolv.conf(5)).</summary>
    public static string Resolver(IReadOnlyList<string> servers, string? search = null)
    {
        var text = new StringBuilder();
        if (!string.IsNullOrWhiteSpace(search))
            text.Append("search ").Append(search).Append('\n');
        foreach (var server in servers.Take(3))
            text.Append("nameserver ").Append(server).Append('\n');
        return text.ToString();
    }

    /// <summary>Whole or not at all: a program that resolves a name meanwhile sees the old file or the new one.</summary>
    private static void Write(string path, string text)
    {
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }
}

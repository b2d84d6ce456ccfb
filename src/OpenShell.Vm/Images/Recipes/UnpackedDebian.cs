using System.Formats.Tar;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>
/// A Debian whose packages were only unpacked, since their scripts are programs for another processor: what these would have made is made up here, as far as the guest
/// uses it. All else that they make is left out, and <see cref="LeftOut"/> says why; a test compares both with a Debian whose scripts did run (docs/adr/0044-another-processor.md).
/// </summary>
internal static class UnpackedDebian
{
    private const string CertificateFolder = "usr/share/ca-certificates/";

    // What is looked up by a name that only update-alternatives makes: of several programs for a job the one that Debian prefers.
    private static readonly (string Link, string Target)[] Alternatives =
    [
        ("usr/bin/awk", "/usr/bin/mawk"),
        ("usr/bin/nawk", "/usr/bin/mawk"),
        ("usr/bin/pager", "/bin/more"),
        ("usr/bin/which", "/usr/bin/which.debianutils"),
        ("usr/sbin/rmt", "/usr/sbin/rmt-tar"),
        .. from family in (string[])["iptables", "ip6tables", "arptables", "ebtables"]
           from verb in (string[])["", "-restore", "-save"]
           select ($"usr/sbin/{family}{verb}", $"/usr/sbin/{family}-nft{verb}"),
    ];

    // Files that a script copies from where its package has it.
    private static readonly (string From, string To)[] Copies =
    [
        ("usr/share/base-passwd/passwd.master", "etc/passwd"), // base-passwd: the users that every Debian has
        ("usr/share/base-passwd/group.master", "etc/group"),
        ("usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf"), // libc-bin: names are looked up in files first
        ("usr/share/base-files/profile", "etc/profile"), // base-files: a shell's PATH
        ("usr/share/base-files/dot.profile", "root/.profile"),
        ("usr/share/base-files/dot.bashrc", "root/.bashrc"),
    ];

    // base-files: programs that name files below these mean memory, which the guest mounts on /run.
    private static readonly (string Link, string Target)[] Links = [("var/run", "/run"), ("var/lock", "/run/lock"), ("etc/localtime", "/usr/share/zoneinfo/Etc/UTC")];

    // base-files: folders that are there for what the user adds.
    private static readonly string[] Folders =
        ["media", "mnt", "opt", "srv", "etc/opt", "var/opt", "usr/local", "usr/local/bin", "usr/local/etc", "usr/local/games", "usr/local/include", "usr/local/lib", "usr/local/sbin", "usr/local/share", "usr/local/src"];

    /// <summary>What scripts make and this does not, by beginnings of names, each with its reason.</summary>
    public static IReadOnlyList<(string Prefix, string Why)> LeftOut { get; } =
    [
        ("var/lib/dpkg/", "dpkg's own books: no package is ever installed in, or removed from, an image"),
        ("etc/ssl/certs/", "one link for each certificate, by name and by hash: what reads certificates in the guest reads the one file of all of them"),
        ("etc/ca-certificates.conf", "which certificates are wanted: all, which is the default"),
        ("usr/local/share/ca-certificates", "for certificates that update-ca-certificates would take up; the guest has a way of its own"),
        ("etc/ld.so.cache", "the loader looks into Debian's folders without it, too; only a program for the guest's processor writes it"),
        ("etc/pam.d/common-", "nobody logs in"),
        ("var/lib/pam/", "nobody logs in"),
        ("etc/security/opasswd", "nobody logs in"),
        ("etc/shadow", "nobody logs in"),
        ("etc/gshadow", "nobody logs in"),
        ("etc/passwd-", "a backup"),
        ("etc/group-", "a backup"),
        ("etc/.pwd.lock", "a lock"),
        ("etc/subuid", "empty"),
        ("etc/subgid", "empty"),
        ("etc/environment", "empty"),
        ("etc/shells", "nobody logs in"),
        ("var/lib/shells.state", "nobody logs in"),
        ("etc/rc", "openshell-init starts services, and none of these"),
        ("etc/modules", "openshell-init loads modules, by lists of its own"),
        ("etc/hosts", "openshell-init writes it"),
        ("etc/networks", "names of networks, which nothing here uses"),
        ("etc/motd", "nobody logs in"),
        ("etc/timezone", "etc/localtime says it"),
        ("etc/dpkg/", "how packages would be built"),
        ("var/lib/etcd", "the folder of a service of Debian's; the guest has its own on the state disk"),
        ("var/mail", "no mail"),
        ("var/spool/mail", "no mail"),
        ("usr/share/info/", "no manuals"),
        ("usr/local/man", "no manuals"),
        ("usr/local/share/man", "no manuals"),
    ];

    /// <summary>Copies a tar of unpacked packages, completed.</summary>
    /// <param name="unpacked">What mmdebstrap made.</param>
    /// <param name="completed">Where the whole goes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task CompleteAsync(Stream unpacked, Stream completed, CancellationToken cancellationToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var kept = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var time = DateTimeOffset.UnixEpoch;
        await using var reader = new TarReader(unpacked, leaveOpen: true);
        await using var tar = new TarWriter(completed, TarEntryFormat.Gnu, leaveOpen: true);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
        {
            var name = Normal(entry.Name);
            time = entry.ModificationTime > time ? entry.ModificationTime : time;
            if (Links.Any(l => l.Link == name) || (name.Length > 0 && !names.Add(name)))
                continue;
            var copy = new GnuTarEntry(entry);
            if (entry.DataStream is { } data && (name.StartsWith(CertificateFolder, StringComparison.Ordinal) || Copies.Any(c => c.From == name)))
            {
                var content = new MemoryStream();
                await data.CopyToAsync(content, cancellationToken).ConfigureAwait(false);
                kept[name] = content.ToArray();
                content.Position = 0;
                copy.DataStream = content;
            }

            await tar.WriteEntryAsync(copy, cancellationToken).ConfigureAwait(false);
        }

        foreach (var entry in Additions(names, kept))
        {
            entry.ModificationTime = time;
            await tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What is added to a tar with these names.</summary>
    private static IEnumerable<GnuTarEntry> Additions(HashSet<string> names, Dictionary<string, byte[]> kept)
    {
        foreach (var folder in Folders.Where(f => !names.Contains(f)))
            yield return new GnuTarEntry(TarEntryType.Directory, folder + "/") { Mode = (UnixFileMode)0b111_101_101 };
        foreach (var (from, to) in Copies.Where(c => kept.ContainsKey(c.From)))
            yield return OfFile(to, kept[from]);
        foreach (var (link, target) in Links)
            yield return OfLink(link, target);
        foreach (var (link, target) in Alternatives.Where(a => IsThere(a.Target) && !names.Contains(a.Link)))
        {
            // By way of /etc, as everywhere in Debian: what is chosen can be chosen otherwise.
            var choice = "etc/alternatives/" + Path.GetFileName(link);
            yield return OfLink(choice, target);
            yield return OfLink(link, "/" + choice);
        }

        if (kept.Keys.Where(IsCertificate).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } certificates)
            yield return OfFile("etc/ssl/certs/ca-certificates.crt", [.. certificates.SelectMany(c => Line(kept[c]))]);

        // Debian is merged: what is said to be in /bin is in /usr/bin.
        bool IsThere(string target) => names.Contains(target.StartsWith("/usr/", StringComparison.Ordinal) ? target[1..] : "usr" + target);
    }

    private static bool IsCertificate(string name) => name.StartsWith(CertificateFolder, StringComparison.Ordinal) && name.EndsWith(".crt", StringComparison.Ordinal);

    private static byte[] Line(byte[] content) => content is [.., (byte)'\n'] ? content : [.. content, (byte)'\n'];

    private static GnuTarEntry OfFile(string name, byte[] content) =>
        new(TarEntryType.RegularFile, name) { Mode = (UnixFileMode)0b110_100_100, DataStream = new MemoryStream(content) };

    private static GnuTarEntry OfLink(string name, string target) => new(TarEntryType.SymbolicLink, name) { Mode = (UnixFileMode)0b111_111_111, LinkName = target };

    private static string Normal(string name) => (name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name).TrimEnd('/');
}

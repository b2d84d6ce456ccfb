using System.Security.Cryptography;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Runtime;

/// <summary>Which Debian package a file of the host belongs to, and whether it is as it was delivered (https://www.debian.org/doc/manuals/debian-handbook/sect.package-meta-information.html: md5sums).</summary>
internal static class PackageFiles
{
    private const string Info = "/var/lib/dpkg/info";

    /// <summary>The package and its version; <see langword="null"/> if no package has the file, or this is no Debian.</summary>
    public static async Task<PackagedFile?> FindAsync(string path, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || RuntimeTools.FindProgram("dpkg-query") is null)
            return null;
        var real = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        if (await Dpkg.OwnerAsync(real, cancellationToken).ConfigureAwait(false) is not { } package)
            return null;
        var versions = await Dpkg.InstalledAsync([package], cancellationToken).ConfigureAwait(false);
        return versions.TryGetValue(package, out var version)
            ? new PackagedFile(package, version, await IsAsDeliveredAsync(package, real, cancellationToken).ConfigureAwait(false))
            : null;
    }

    // Packages of one architecture of several have it in their list's name.
    private static async Task<bool> IsAsDeliveredAsync(string package, string path, CancellationToken cancellationToken)
    {
        var sums = Directory.EnumerateFiles(Info, package + "*.md5sums").FirstOrDefault(f => Path.GetFileName(f) == package + ".md5sums" || Path.GetFileName(f).StartsWith(package + ":", StringComparison.Ordinal));
        if (sums is null)
            return false;
        var wanted = path.TrimStart('/');
        await foreach (var line in File.ReadLinesAsync(sums, cancellationToken).ConfigureAwait(false))
        {
            // "<md5>  usr/bin/qemu-system-x86_64"
            if (line.Length > 34 && line.AsSpan(34).SequenceEqual(wanted))
                return line[..32] == await Md5Async(path, cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

#pragma warning disable CA5351 // dpkg records nothing stronger; the part's SHA-256 is shown beside it.
    private static async Task<string> Md5Async(string path, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await MD5.HashDataAsync(stream, cancellationToken).ConfigureAwait(false));
    }
#pragma warning restore CA5351
}

/// <summary>A file of a Debian package.</summary>
/// <param name="Package">The package's name.</param>
/// <param name="Version">Its installed version.</param>
/// <param name="AsDelivered">Whether the file has the checksum that the package recorded.</param>
internal sealed record PackagedFile(string Package, string Version, bool AsDelivered);

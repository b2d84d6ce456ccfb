using OpenShell.Vm.Images;

namespace OpenShell.Vm.Distributions;

/// <summary>One file of a release of k3s.</summary>
/// <param name="Name">As on the release page.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
internal sealed record K3sFile(string Name, string Sha256);

/// <summary>
/// The k3s that this project was written for: version, files and their SHA-256, the one place. The release page has the same hashes as sha256sum-ARCH.txt.
/// They were not read there: the page was out of reach when this was written. The air-gap archives' are as two readers of it have them, independently: nixpkgs
/// (pkgs/applications/networking/cluster/k3s/1_34/images-versions.json as it was for v1.34.2, seen in a fork at e04ddf2ce84b), and a download script in a public
/// repository that lists all four files of v1.34.2+k3s1. The programs' are as that script alone has them. A file that does not have its hash is refused.
/// </summary>
internal static class K3sRelease
{
    /// <summary>The version.</summary>
    public const string Version = "v1.34.2+k3s1";

    /// <summary>Where releases are: https://docs.k3s.io/installation/airgap</summary>
    public const string Page = "https://github.com/k3s-io/k3s/releases/download";

    /// <summary>The environment variable that names another place, with the same layout below it: <c>VERSION/FILE</c>.</summary>
    public const string MirrorVariable = "OPENSHELL_VM_K3S_MIRROR";

    /// <summary>The program.</summary>
    /// <param name="architecture">Debian's name of a processor.</param>
    public static K3sFile Binary(string architecture) => architecture == Architectures.Arm64
        ? new("k3s-arm64", "2e1db0e54a8b0d0ab8a264a119c9c617561f9290e7bb2722d795f8bc91b24cf8")
        : new("k3s", "15811d34187e03fe29d0e46108c42cc33e62cec1b3d9d80f50944536ebcad40a");

    /// <summary>The container images that k3s itself runs: CoreDNS, the local volume provisioner, Helm's job.</summary>
    /// <param name="architecture">Debian's name of a processor.</param>
    public static K3sFile Images(string architecture) => architecture == Architectures.Arm64
        ? new("k3s-airgap-images-arm64.tar.zst", "41b34aab92bc5166135dc73217ead65766688fd3543166ce32ffff7e101bef46")
        : new("k3s-airgap-images-amd64.tar.zst", "24359781bd775f513691e98031853d79eac53e265f7d72d1e7325df4f3b18eb0");

    /// <summary>Where a file is fetched from.</summary>
    /// <param name="file">Its name.</param>
    /// <param name="mirror">The mirror; <see langword="null"/>: the release page.</param>
    public static Uri Address(string file, string? mirror) => new($"{(string.IsNullOrEmpty(mirror) ? Page : mirror.TrimEnd('/'))}/{Uri.EscapeDataString(Version)}/{file}");

    /// <summary>The mirror of this process' environment.</summary>
    public static string? Mirror => Environment.GetEnvironmentVariable(MirrorVariable) is { Length: > 0 } mirror ? mirror : null;
}

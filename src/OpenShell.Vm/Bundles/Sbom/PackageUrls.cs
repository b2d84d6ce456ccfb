namespace OpenShell.Vm.Bundles.Sbom;

/// <summary>Package URLs (https://github.com/package-url/purl-spec): the types deb and nuget.</summary>
internal static class PackageUrls
{
    /// <summary>A package of Debian, or of another distribution with its tools; <c>source</c> is the architecture of sources.</summary>
    public static string Debian(string name, string version, string architecture, string? vendor = null) => $"pkg:deb/{Encoded(vendor ?? "debian")}/{Encoded(name)}@{Encoded(version)}?arch={Encoded(architecture)}";

    /// <summary>A package of NuGet.</summary>
    public static string NuGet(string name, string version) => $"pkg:nuget/{Encoded(name)}@{Encoded(version)}";

    // The colon, as in an epoch, stands as it is.
    private static string Encoded(string text) => Uri.EscapeDataString(text).Replace("%3A", ":", StringComparison.Ordinal);
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Deliveries;

/// <summary>The files that a configuration names, found and looked at. Reads, and changes nothing.</summary>
public static class DeliveryFiles
{
    private static readonly Kind ManifestKind = new("--manifests", [".yaml", ".yml", ".json"]);
    private static readonly Kind ImageKind = new("--images", [".tar", ".tar.gz", ".tgz", ".tar.zst"]);
    private static readonly Kind ChartKind = new("--chart", [".tgz", ".tar.gz"]);

    /// <summary>Whether there is anything that needs a disk.</summary>
    public static bool AreNamed(InstanceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config.Workload is { Manifests.Count: > 0 } or { Images.Count: > 0 } or { Charts.Count: > 0 } || config.CertificateAuthorities.Count > 0 || config.RegistryMirrors.Count > 0;
    }

    /// <summary>Everything that is wrong with what is named; empty when nothing is.</summary>
    public static IReadOnlyList<Fault> Faults(InstanceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var workload = config.Workload ?? new WorkloadConfig();
        return
        [
            .. Each(ManifestKind, workload.Manifests, ManifestCheck.Faults),
            .. Each(ImageKind, workload.Images, path => One(ImageArchiveCheck.Fault(path, config.Architecture ?? Architectures.Host))),
            .. Each(ChartKind, workload.Charts, path => One(ChartCheck.Fault(path))),
            .. One(ChartWithoutK3s(config)),
            .. config.CertificateAuthorities.Where(path => path != CertificateBundle.Host).SelectMany(path => File("--ca", path, file => One(CertificateBundle.Fault("--ca", file)))),
            .. config.RegistryMirrors.SelectMany(Mirror),
        ];
    }

    /// <summary>Once it is known which distribution there is.</summary>
    /// <exception cref="FaultException">Something is given along that it cannot use.</exception>
    internal static void ThrowIfUnfit(InstanceConfig config)
    {
        if (ChartWithoutK3s(config) is { } fault)
            throw new FaultException(fault);
    }

    private static Fault? ChartWithoutK3s(InstanceConfig config) => config is { Workload.Charts.Count: > 0, Distribution: "upstream" }
        ? DeliveryFaults.Make("chart-without-k3s", "--chart: charts are installed by k3s, and the distribution is upstream.", "Use --distribution k3s, or give what 'helm template CHART' prints with --manifests.")
        : null;

    /// <summary>Manifests in the order in which they are applied.</summary>
    internal static IReadOnlyList<string> Manifests(InstanceConfig config) => Expand(ManifestKind, config.Workload?.Manifests);

    /// <summary>Archives of images.</summary>
    internal static IReadOnlyList<string> Images(InstanceConfig config) => Expand(ImageKind, config.Workload?.Images);

    /// <summary>Charts.</summary>
    internal static IReadOnlyList<string> Charts(InstanceConfig config) => Expand(ChartKind, config.Workload?.Charts);

    /// <summary>User and password of a mirror's file.</summary>
    internal static (string User, string Password)? Credentials(string path)
    {
        var line = System.IO.File.ReadLines(path).FirstOrDefault() ?? "";
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon < line.Length - 1 ? (line[..colon], line[(colon + 1)..]) : null;
    }

    private static IEnumerable<Fault> Mirror(RegistryMirror mirror)
    {
        if (mirror.CertificateAuthority is { } authority)
        {
            foreach (var fault in File("--registry-mirror ca", authority, file => One(CertificateBundle.Fault("--registry-mirror ca", file))))
                yield return fault;
        }

        if (mirror.CredentialsFile is { } credentials)
        {
            foreach (var fault in File("--registry-mirror auth", credentials, file => Credentials(file) is not null ? [] : One(
                DeliveryFaults.Make("credentials-invalid", $"--registry-mirror auth {file}: its first line is not 'user:password'.", "Write one line 'user:password' into it, and make it readable for you alone."))))
            {
                yield return fault;
            }
        }
    }

    private static IEnumerable<Fault> Each(Kind kind, IReadOnlyList<string> paths, Func<string, IEnumerable<Fault>> check)
    {
        foreach (var path in paths)
        {
            if (Directory.Exists(path) && kind.In(path).Length == 0)
                yield return DeliveryFaults.Empty(kind.Option, path, string.Join(", ", kind.Endings));
            foreach (var file in Directory.Exists(path) ? kind.In(path) : [path])
            {
                foreach (var fault in File(kind.Option, file, check))
                    yield return fault;
            }
        }
    }

    private static IEnumerable<Fault> File(string option, string path, Func<string, IEnumerable<Fault>> check)
    {
        if (!System.IO.File.Exists(path))
            return [Directory.Exists(path) ? DeliveryFaults.Make("not-a-file", $"{option} {path} is a folder.", "Name the file.") : DeliveryFaults.Missing(option, path)];
        try
        {
            return [.. check(path)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [DeliveryFaults.Unreadable(option, path, e.Message)];
        }
    }

    private static IReadOnlyList<string> Expand(Kind kind, IReadOnlyList<string>? paths) =>
        [.. (paths ?? []).SelectMany(path => Directory.Exists(path) ? kind.In(path) : [path]).Distinct(StringComparer.Ordinal)];

    private static Fault[] One(Fault? fault) => fault is null ? [] : [fault];

    private sealed record Kind(string Option, string[] Endings)
    {
        /// <summary>Its files in a folder, in the order of their names, whatever the language of the system; those whose names begin with a dot are hidden.</summary>
        public string[] In(string folder)
        {
            var files = Directory.GetFiles(folder).Where(f => !Path.GetFileName(f).StartsWith('.') && Endings.Any(e => f.EndsWith(e, StringComparison.OrdinalIgnoreCase))).ToArray();
            Array.Sort(files, StringComparer.Ordinal);
            return files;
        }
    }
}

using System.Text;
using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>Puts what was given along onto the state disk, from where <see cref="K3sFolders"/> brings it to k3s, and tells k3s of registries.</summary>
internal sealed class K3sDelivery(Delivery delivery, string images = K3sLayout.UserImages, string charts = K3sLayout.UserCharts, string manifests = StateLayout.Manifests)
{
    // The first line tells a file of ours, which may be removed, from one that the user wrote.
    private const string RegistriesHead = "# Written by openshell-init of what the machine was given along.\n";

    /// <summary>All of it. k3s does not run yet.</summary>
    /// <exception cref="GuestFaultException">It cannot be read to its end.</exception>
    public async Task PlaceAsync(K3sLayout layout, CancellationToken cancellationToken)
    {
        DeliveredManifests.Place(delivery, manifests);
        PlaceCharts();
        WriteRegistries(layout.Registries);
        await PlaceImagesAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>k3s's file of registries: https://docs.k3s.io/installation/private-registry. JSON is YAML, and quotes by rules.</summary>
    public static string Registries(DeliveryIndex index, Func<string, string> pathOf)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("mirrors");
            foreach (var mirror in index.Mirrors)
            {
                json.WriteStartObject(mirror.Upstream);
                json.WriteStartArray("endpoint");
                json.WriteStringValue(mirror.Url);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteStartObject("configs");
            foreach (var mirror in index.Mirrors.DistinctBy(m => new Uri(m.Url).Authority))
            {
                json.WriteStartObject(new Uri(mirror.Url).Authority);
                if (mirror is { User: { } user, Password: { } password })
                {
                    json.WriteStartObject("auth");
                    json.WriteString("username", user);
                    json.WriteString("password", password);
                    json.WriteEndObject();
                }

                if (mirror.Authorities is not null || mirror.SkipVerify)
                {
                    json.WriteStartObject("tls");
                    if (mirror.Authorities is { } entry)
                        json.WriteString("ca_file", pathOf(entry));
                    if (mirror.SkipVerify)
                        json.WriteBoolean("insecure_skip_verify", true);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return RegistriesHead + Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    /// <summary>What makes k3s install a chart: https://docs.k3s.io/helm#helmchart-field-definitions.</summary>
    public static string HelmChart(string chart)
    {
        var name = Path.GetFileNameWithoutExtension(chart).ToLowerInvariant();
        var label = new string([.. name.Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '-')]).Trim('-');
        return $$"""
            apiVersion: helm.cattle.io/v1
            kind: HelmChart
            metadata: {name: {{label}}, namespace: kube-system}
            spec: {chart: "https://%{KUBERNETES_API}%/static/charts/{{chart}}", targetNamespace: {{GatewaySecrets.Namespace}}}

            """;
    }

    private void PlaceCharts()
    {
        // A manifest of the user's that names a chart knows better what to do with it.
        var given = delivery.Index.Manifests.Select(m => File.ReadAllText(delivery.PathOf(m.Entry))).ToList();
        foreach (var chart in delivery.Index.Charts)
        {
            Mounter.MakeFolders(charts);
            File.Copy(delivery.PathOf(chart.Entry), Path.Combine(charts, chart.Name), overwrite: true);
            if (given.Any(text => text.Contains("/static/charts/" + chart.Name, StringComparison.Ordinal)))
                continue;
            Mounter.MakeFolders(manifests);
            File.WriteAllText(Path.Combine(manifests, $"{DeliveredManifests.Prefix}chart-{chart.Name}.yaml"), HelmChart(chart.Name));
        }
    }

    private void WriteRegistries(string file)
    {
        if (delivery.Index.Mirrors.Count > 0)
            OwnerFile.Write(file, Registries(delivery.Index, delivery.PathOf));
        else if (File.Exists(file) && File.ReadAllText(file).StartsWith(RegistriesHead, StringComparison.Ordinal))
            File.Delete(file);
    }

    /// <summary>k3s imports what is in its folder at every start, so an archive stays on the disk, under the hash of its content.</summary>
    private async Task PlaceImagesAsync(CancellationToken cancellationToken)
    {
        if (delivery.Index.Images.Count == 0)
            return;
        Mounter.MakeFolders(images);
        var wanted = delivery.Index.Images.ToDictionary(i => i.Entry, i => Path.Combine(images, $"{DeliveredManifests.Prefix}{i.Sha256[..16]}{EndingOf(i.Name)}"));
        foreach (var old in Directory.GetFiles(images, DeliveredManifests.Prefix + "*").Where(f => !wanted.ContainsValue(f)))
            File.Delete(old);
        await delivery.ReadImagesAsync(
            file => File.Exists(wanted[file.Entry]) ? null : wanted[file.Entry] + ".new",
            (file, path) =>
            {
                File.Move(path, wanted[file.Entry]);
                return Task.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static string EndingOf(string name) => name[name.IndexOf(".t", StringComparison.OrdinalIgnoreCase)..];
}

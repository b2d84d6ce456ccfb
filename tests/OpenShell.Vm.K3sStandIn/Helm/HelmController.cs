using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Workload;

namespace OpenShell.Vm.K3sStandIn.Helm;

/// <summary>
/// In the place of k3s's helm-controller (https://github.com/k3s-io/helm-controller): the kind HelmChart, and charts of <c>server/static/charts</c> installed as far as <see cref="Chart"/> goes.
/// There they are installed by a job of each; here by this, and what such a job's failure would say stands in the HelmChart's status and in an event. Nothing is uninstalled.
/// </summary>
internal sealed partial class HelmController
{
    // The part of k3s's definition that is used here (pkg/crds/yaml/generated/helm.cattle.io_helmcharts.yaml there), and all other fields as they come.
    private const string Definition = """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"helmcharts.helm.cattle.io"},
         "spec":{"group":"helm.cattle.io","scope":"Namespaced","preserveUnknownFields":false,
          "names":{"kind":"HelmChart","listKind":"HelmChartList","plural":"helmcharts","singular":"helmchart"},
          "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
           "schema":{"openAPIV3Schema":{"type":"object","properties":{
            "spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
            "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}
        """;

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(5);

    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, string> _done = [], _said = [];
    private readonly ApiClient _api;
    private readonly ManifestApplier _applier;
    private readonly EventRecorder _events;
    private readonly ObjectMirror<HelmChart> _charts;
    private readonly string _folder;

    /// <summary>A controller; nothing is done yet.</summary>
    /// <param name="api">Where HelmCharts are.</param>
    /// <param name="folder"><c>server/static/charts</c>.</param>
    public HelmController(ApiClient api, string folder)
    {
        _api = api;
        _applier = new ManifestApplier(api);
        _folder = folder;
        _events = new EventRecorder(api);
        _charts = new ObjectMirror<HelmChart>(api, HelmChart.List, HelmChart.Read, () => _changes.Writer.TryWrite(true));
    }

    /// <summary>Works until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _api.ApplyAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/helmcharts.helm.cattle.io", Definition, cancellationToken).ConfigureAwait(false);
        await Together.RunAsync(cancellationToken, _charts.RunAsync, WorkAsync).ConfigureAwait(false);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await _charts.Listed.WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var all = true;
            foreach (var chart in _charts.All)
                all &= await TryAsync(chart, cancellationToken).ConfigureAwait(false);
            using var round = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (!all)
                round.CancelAfter(TryAgainAfter);
            try
            {
                await _changes.Reader.ReadAsync(round.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // As k3s's jobs: what failed is tried again.
            }
        }
    }

    private async Task<bool> TryAsync(HelmChart chart, CancellationToken cancellationToken)
    {
        string? error = null;
        try
        {
            var file = FileOf(chart);
            var version = $"{chart.Generation} {file} {File.GetLastWriteTimeUtc(file):O}";
            if (_done.GetValueOrDefault(chart.Reference.Uid!) == version)
                return true;
            var count = await InstallAsync(chart, file, cancellationToken).ConfigureAwait(false);
            _done[chart.Reference.Uid!] = version;
            Console.WriteLine($"Installed chart {chart.Chart} as {chart.Reference}: {count} objects");
        }
        catch (Exception e) when (e is ChartException or ManifestException or IOException or ApiException or HttpRequestException)
        {
            error = e.Message;
        }

        await ReportAsync(chart, error, cancellationToken).ConfigureAwait(false);
        return error is null;
    }

    /// <summary>k3s serves the folder to its jobs; here it is read.</summary>
    private string FileOf(HelmChart chart)
    {
        if (chart.Unknown.Count > 0)
            throw new ChartException($"spec.{chart.Unknown[0]} is beyond the stand-in");
        if (StaticChart().Match(chart.Chart) is not { Success: true } match)
            throw new ChartException($"'{chart.Chart}' is no chart of https://%{{KUBERNETES_API}}%/static/charts, the only ones that the stand-in knows");
        var file = Path.Combine(_folder, match.Groups[1].Value);
        return File.Exists(file) ? file : throw new ChartException($"failed to fetch {chart.Chart} : 404 Not Found");
    }

    private async Task<int> InstallAsync(HelmChart chart, string file, CancellationToken cancellationToken)
    {
        var opened = Chart.Open(file);
        opened.Override(chart.Values);
        // All of it is understood before anything is applied.
        var documents = new List<ManifestDocument>();
        foreach (var (source, text) in opened.Render(chart.Reference.Name, chart.TargetNamespace, chart.Set))
            documents.AddRange(ManifestReader.Read(source, text).Select(d => d with { Header = d.Header with { Namespace = d.Header.Namespace ?? chart.TargetNamespace } }));
        if (chart.CreateNamespace)
            await _api.CreateAsync("/api/v1/namespaces", new JsonObject { ["metadata"] = new JsonObject { ["name"] = chart.TargetNamespace } }, cancellationToken).ConfigureAwait(false);
        foreach (var document in documents)
        {
            if (await _applier.ApplyAsync(document, cancellationToken).ConfigureAwait(false) is { } error)
                throw new ChartException($"{document.Source}: {error}");
        }

        return documents.Count;
    }

    private async Task ReportAsync(HelmChart chart, string? error, CancellationToken cancellationToken)
    {
        if (_said.GetValueOrDefault(chart.Reference.Uid!) is { } said && said == (error ?? ""))
            return;
        _said[chart.Reference.Uid!] = error ?? "";
        if (error is not null)
        {
            Console.WriteLine($"Failed to install chart {chart.Chart} as {chart.Reference}: {error}");
            await _events.WarnAsync(chart.Reference, "ChartFailed", error, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await _api.MergeAsync(chart.Path + "/status", new JsonObject
            {
                ["status"] = new JsonObject
                {
                    // Its name under k3s, where it is the job's.
                    ["jobName"] = "helm-install-" + chart.Reference.Name,
                    ["conditions"] = new JsonArray(new JsonObject
                    {
                        ["type"] = "Failed",
                        ["status"] = error is null ? "False" : "True",
                        ["reason"] = error is null ? "Installed" : "InstallFailed",
                        ["message"] = error ?? "",
                    }),
                },
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            _said.Remove(chart.Reference.Uid!);
            Console.WriteLine($"The status of {chart.Reference} could not be written: {e.Message}");
        }
    }

    [GeneratedRegex(@"^https://%\{KUBERNETES_API\}%/static/charts/([A-Za-z0-9._+-]+\.tgz)$")]
    private static partial Regex StaticChart();
}

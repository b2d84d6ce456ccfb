using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.K3sStandIn.Helm;

/// <summary>What the stand-in reads of a HelmChart. All of its fields: https://docs.k3s.io/helm#helmchart-field-definitions</summary>
/// <param name="Reference">Its identity.</param>
/// <param name="Generation">Changes with its spec.</param>
/// <param name="Chart">spec.chart: where the chart is.</param>
/// <param name="TargetNamespace">Where its objects go.</param>
/// <param name="CreateNamespace">Whether that is made first.</param>
/// <param name="Values">spec.valuesContent, YAML.</param>
/// <param name="Set">spec.set: single values, by paths with dots.</param>
/// <param name="Unknown">Fields that the stand-in knows nothing of.</param>
internal sealed record HelmChart(
    ObjectReference Reference, int Generation, string Chart, string TargetNamespace, bool CreateNamespace, string Values, IReadOnlyList<(string Path, string Value)> Set, IReadOnlyList<string> Unknown)
{
    public const string ApiVersion = "helm.cattle.io/v1", Kind = "HelmChart", List = "/apis/helm.cattle.io/v1/helmcharts";

    private static readonly string[] Known = ["chart", "targetNamespace", "createNamespace", "valuesContent", "set", "bootstrap", "failurePolicy", "timeout"];

    /// <summary>Its own path in the API.</summary>
    public string Path => $"/apis/{ApiVersion}/namespaces/{Reference.Namespace}/helmcharts/{Reference.Name}";

    /// <summary>Reads one.</summary>
    public static HelmChart Read(JsonElement item)
    {
        var space = item.Text("metadata", "namespace")!;
        var set = item.At("spec", "set") is { ValueKind: JsonValueKind.Object } values ? values.EnumerateObject().Select(v => (v.Name, v.Value.ToString())).ToList() : [];
        var fields = item.At("spec") is { ValueKind: JsonValueKind.Object } spec ? spec.EnumerateObject().Select(f => f.Name) : [];
        return new HelmChart(
            new ObjectReference(ApiVersion, Kind, space, item.Text("metadata", "name")!, item.Text("metadata", "uid")),
            item.Number("metadata", "generation"),
            item.Text("spec", "chart") ?? "",
            item.Text("spec", "targetNamespace") ?? space,
            item.At("spec", "createNamespace") is { ValueKind: JsonValueKind.True },
            item.Text("spec", "valuesContent") ?? "",
            set,
            [.. fields.Except(Known)]);
    }
}

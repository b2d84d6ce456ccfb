using OpenShell.Vm.K3sStandIn.Helm;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>What the stand-in understands of charts, and that it refuses the rest. No machine is needed.</summary>
public sealed class StandInChartTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ovc-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Release_namespace_and_values_are_put_in_and_the_nearest_value_counts()
    {
        Color(Open(TestChart.Template)).ShouldBe("green");

        var overridden = Open(TestChart.Template);
        overridden.Override("paint: {color: red}");
        Color(overridden).ShouldBe("red");
        Color(overridden, ("paint.color", "blue")).ShouldBe("blue");
    }

    [Theory]
    [InlineData("{{ if .Values.paint }}")]
    [InlineData("{{ include \"a\" . }}")]
    [InlineData("{{ .Values.paint.color | quote }}")]
    [InlineData("{{- range .Values.paint }}")]
    [InlineData("{{ .Values.paint }}")]
    [InlineData("{{ .Values.nothing }}")]
    [InlineData("{{ .Capabilities.KubeVersion }}")]
    [InlineData("{{/* said */}}")]
    public void Every_other_action_is_refused_by_name(string action)
    {
        var refused = Should.Throw<ChartException>(() => Open(TestChart.Template + action + "\n").Render("a", "b", []));

        refused.Message.ShouldStartWith("templates/settings.yaml: ");
        refused.Message.ShouldContain(action.Trim('{', '}', '-', ' '));
    }

    [Fact]
    public void What_is_no_chart_is_refused()
    {
        var whole = TestChart.Pack("a", TestChart.Template);
        foreach (var bytes in (byte[][])[[], "not a chart"u8.ToArray(), whole.AsSpan(0, whole.Length / 2).ToArray()])
            Should.Throw<ChartException>(() => Open(bytes));
    }

    private static string Color(Chart chart, params (string, string)[] set)
    {
        var (source, text) = chart.Render("mine", "there", set).ShouldHaveSingleItem();
        source.ShouldBe("templates/settings.yaml");
        text.ShouldContain("  name: mine-settings\n");
        text.ShouldContain("  namespace: there\n");
        return text.Split("color: ")[1].Trim();
    }

    private Chart Open(string template) => Open(TestChart.Pack("given", template));

    private Chart Open(byte[] bytes)
    {
        var file = Path.Combine(_folder.FullName, "a-1.0.0.tgz");
        File.WriteAllBytes(file, bytes);
        return Chart.Open(file);
    }
}

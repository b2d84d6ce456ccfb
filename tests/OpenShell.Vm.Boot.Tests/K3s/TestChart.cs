using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>Packaged charts for tests: as Helm reads them, and no more than the stand-in understands.</summary>
internal static class TestChart
{
    /// <summary>One object, of which release, namespace and a value are seen.</summary>
    public const string Template = """
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: {{ .Release.Name }}-settings
        data:
          namespace: {{ .Release.Namespace }}
          color: {{ .Values.paint.color }}

        """;

    /// <summary>Writes <c>given-1.0.0.tgz</c>.</summary>
    public static string Write(string folder)
    {
        var path = Path.Combine(folder, "given-1.0.0.tgz");
        File.WriteAllBytes(path, Pack("given", Template));
        return path;
    }

    /// <summary>A chart with one template.</summary>
    public static byte[] Pack(string name, string template)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip))
        {
            Add("Chart.yaml", $"apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
            Add("values.yaml", "paint:\n  color: green\n");
            Add("templates/settings.yaml", template);

            void Add(string file, string text) => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{name}/{file}") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }

        return packed.ToArray();
    }
}

using System.IO.Compression;
using System.Text;
using System.Xml.Linq;

namespace OpenShell.Vm.Testing.Tests.Packaging;

/// <summary>A package as it would be published (https://learn.microsoft.com/nuget/reference/nuspec).</summary>
internal sealed class Package
{
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly XElement _metadata;

    public Package(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        foreach (var entry in archive.Entries)
        {
            using var content = entry.Open();
            using var copy = new MemoryStream();
            content.CopyTo(copy);
            _files.Add(entry.FullName, copy.ToArray());
        }

        _metadata = XElement.Load(new MemoryStream(_files[_files.Keys.Single(name => name.EndsWith(".nuspec", StringComparison.Ordinal))])).Elements().Single(element => element.Name.LocalName == "metadata");
    }

    public string Id => Text("id")!;

    public string Version => Text("version")!;

    public string? Readme => Text("readme");

    /// <summary>An expression of SPDX.</summary>
    public string? Licence => Child(_metadata, "license") is { } license && license.Attribute("type")?.Value == "expression" ? license.Value : null;

    public IReadOnlyCollection<string> Files => _files.Keys;

    /// <summary>The frameworks that it has a library for.</summary>
    public IEnumerable<string> Frameworks => _files.Keys.Where(name => name.StartsWith("lib/", StringComparison.Ordinal)).Select(name => name.Split('/')[1]).Distinct();

    /// <summary>What a library for a framework needs.</summary>
    public IReadOnlyList<(string Id, string Version)> Dependencies(string framework) =>
        [.. Child(_metadata, "dependencies")!.Elements().Single(group => group.Attribute("targetFramework")?.Value == framework).Elements().Select(dependency => (dependency.Attribute("id")!.Value, dependency.Attribute("version")!.Value))];

    public byte[] Read(string file) => _files[file];

    public string ReadText(string file) => Encoding.UTF8.GetString(Read(file)).TrimStart('\uFEFF');

    /// <summary>The files in which a text stands, in either of the encodings that compilers and packers write.</summary>
    public IEnumerable<string> FilesWith(string text) =>
        from file in _files
        where file.Value.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0 || file.Value.AsSpan().IndexOf(Encoding.Unicode.GetBytes(text)) >= 0
        select $"{Id}: {file.Key}";

    private string? Text(string name) => Child(_metadata, name)?.Value;

    private static XElement? Child(XElement parent, string name) => parent.Elements().SingleOrDefault(element => element.Name.LocalName == name);
}

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Support.Redaction;

/// <summary>Documents of JSON and YAML, by their members' names; every other string in them is looked at as text.</summary>
internal sealed class StructuredText(Func<string, string> redactText)
{
    // Lists of KEY=VALUE: a program's environment is whatever its user put there.
    private static readonly string[] Environments = ["env", "environment", "envs"];

    /// <summary>A document of JSON, or <see langword="null"/>: it is none.</summary>
    internal string? Json(string text, bool indented)
    {
        try
        {
            var node = JsonNode.Parse(text);
            var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = indented }))
            {
                if (Of(node, secret: false) is { } cleaned)
                    cleaned.WriteTo(writer);
                else
                    writer.WriteNullValue();
            }

            return Encoding.UTF8.GetString(bytes.ToArray());
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Documents of YAML, or <see langword="null"/>: it is none.</summary>
    internal string? Yaml(string text)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            foreach (var document in stream.Documents)
                Redact(document.RootNode, secret: false);
            var writer = new StringWriter();
            stream.Save(writer, assignAnchors: false);
            return writer.ToString();
        }
        catch (Exception e) when (e is YamlException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private JsonNode? Of(JsonNode? node, bool secret)
    {
        switch (node)
        {
            case JsonObject map:
                var isSecret = secret || (map["kind"] as JsonValue)?.ToString() == "Secret";
                var named = (map["name"] as JsonValue)?.ToString() is { } name && SecretNames.IsSecret(name);
                var result = new JsonObject();
                foreach (var (key, value) in map)
                    result[redactText(key)] = Environments.Contains(key) && value is JsonArray list ? Environment(list) : Of(value, IsSecret(key, secret, isSecret, named));
                return result;
            case JsonArray array:
                return new JsonArray([.. array.Select(n => Of(n, secret))]);
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                return secret ? Redactor.Mark : redactText(value.GetValue<string>());
            case JsonValue value when value.GetValueKind() == JsonValueKind.Number && secret:
                return Redactor.Mark;
            default:
                return node?.DeepClone();
        }
    }

    private JsonArray Environment(JsonArray list) => new([.. list.Select(n => n is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>().Split('=', 2) is [var key, _] ? $"{key}={Redactor.Mark}" : Of(n, secret: false))]);

    private void Redact(YamlNode node, bool secret)
    {
        switch (node)
        {
            case YamlMappingNode map:
                var isSecret = secret || Scalar(map, "kind") == "Secret";
                var named = Scalar(map, "name") is { } name && SecretNames.IsSecret(name);
                foreach (var (key, value) in map.Children)
                    Redact(value, IsSecret((key as YamlScalarNode)?.Value ?? "", secret, isSecret, named));
                break;
            case YamlSequenceNode list:
                foreach (var item in list.Children)
                    Redact(item, secret);
                break;
            case YamlScalarNode scalar:
                scalar.Value = secret ? Redactor.Mark : redactText(scalar.Value ?? "");
                break;
            default:
                break;
        }
    }

    /// <summary>Whether what a member holds is not shown: by its name, as the data of a Secret, or as the value of a pair whose name is one of a secret.</summary>
    private static bool IsSecret(string key, bool inherited, bool inSecret, bool named) =>
        inherited || SecretNames.IsSecret(key) || (inSecret && key is "data" or "stringData") || (named && key == "value");

    private static string? Scalar(YamlMappingNode map, string key) => map.Children.FirstOrDefault(c => (c.Key as YamlScalarNode)?.Value == key).Value is YamlScalarNode scalar ? scalar.Value : null;
}

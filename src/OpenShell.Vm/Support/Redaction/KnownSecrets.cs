using System.Text;
using System.Text.Json;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Support.Redaction;

/// <summary>Secrets that this host knows of and that may have got into a log: each as it is, and in the forms in which it is sent. What cannot be read is nobody's secret here.</summary>
/// <param name="directories">The host's folders.</param>
/// <param name="environment">The environment.</param>
public sealed class KnownSecrets(HostDirectories directories, IReadOnlyDictionary<string, string> environment)
{
    private const int MostBytes = 1 << 20;

    // Of Docker's configuration: https://docs.docker.com/reference/cli/docker/login/.
    private static readonly string[] DockerMembers = ["auth", "password", "identitytoken", "registrytoken"];

    /// <summary>All of them.</summary>
    public IEnumerable<string> All() =>
    [
        .. OfEnvironment(),
        .. OfDocker(),
        .. new InstanceStore(directories).Names().SelectMany(OfInstance),
        .. Lines(Path.Combine(Home, ".netrc")).SelectMany(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is var words ? words.Zip(words.Skip(1)).Where(w => w.First == "password").Select(w => w.Second) : []),
    ];

    private string Home => environment.GetValueOrDefault("HOME") ?? "/nonexistent";

    private IEnumerable<string> OfEnvironment()
    {
        foreach (var (name, value) in environment)
        {
            // PWD is a folder.
            if (SecretNames.IsSecret(name) && name != "PWD" && !Path.IsPathRooted(value))
                yield return value;
            if (!name.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase))
                continue;
            var authority = value[(value.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? scheme + 3 : 0)..];
            if (authority.LastIndexOf('@') is > 0 and var end)
            {
                foreach (var form in Forms(authority[..end]))
                    yield return form;
            }
        }
    }

    private IEnumerable<string> OfDocker()
    {
        var folder = environment.GetValueOrDefault("DOCKER_CONFIG") ?? Path.Combine(Home, ".docker");
        foreach (var path in new[] { Path.Combine(folder, "config.json"), Path.Combine(Home, ".config/containers/auth.json"), Path.Combine(environment.GetValueOrDefault("XDG_RUNTIME_DIR") ?? "/nonexistent", "containers/auth.json") })
        {
            foreach (var secret in Read(path) is { } text ? Docker(text) : [])
                yield return secret;
        }
    }

    private static IReadOnlyList<string> Docker(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            return !json.RootElement.TryGetProperty("auths", out var auths)
                ? []
                :
                [
                    .. auths.EnumerateObject().SelectMany(host => host.Value.EnumerateObject())
                        .Where(m => DockerMembers.Contains(m.Name) && m.Value.ValueKind == JsonValueKind.String)
                        .SelectMany(m => m.Name == "auth" ? [m.Value.GetString()!, .. Forms(Plain(m.Value.GetString()!))] : Forms(m.Value.GetString()!)),
                ];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return [];
        }
    }

    private IEnumerable<string> OfInstance(string name)
    {
        foreach (var secret in KeyLines(Path.Combine(new GatewayRegistration(directories, name).MtlsFolder, "tls.key")))
            yield return secret;
        foreach (var secret in OfKubeconfig(Kubeconfig.PathFor(directories, name)))
            yield return secret;
        foreach (var file in MirrorCredentials(name))
        {
            foreach (var form in Lines(file).SelectMany(Forms))
                yield return form;
        }
    }

    private IReadOnlyList<string> MirrorCredentials(string name)
    {
        try
        {
            return [.. new InstanceStore(directories).ReadConfig(InstanceName.Parse(name)).RegistryMirrors.Select(m => m.CredentialsFile).OfType<string>()];
        }
        catch (FaultException)
        {
            return [];
        }
    }

    private static IEnumerable<string> OfKubeconfig(string path)
    {
        if (Read(path) is not { } text)
            return [];
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return [.. stream.Documents.SelectMany(d => d.AllNodes).OfType<YamlMappingNode>().SelectMany(m => m.Children)
                .Where(c => c is { Key: YamlScalarNode { Value: { } key }, Value: YamlScalarNode } && SecretNames.IsSecret(key))
                .Select(c => ((YamlScalarNode)c.Value).Value ?? "")
                .SelectMany(v => Plain(v).Contains("PRIVATE KEY", StringComparison.Ordinal) ? [v, .. PemBody(Plain(v))] : new[] { v })];
        }
        catch (Exception e) when (e is YamlException or ArgumentException)
        {
            return [];
        }
    }

    private static IEnumerable<string> KeyLines(string path) => Read(path) is { } pem ? PemBody(pem) : [];

    // The lines one by one, as a log has them, and all in one.
    private static IReadOnlyList<string> PemBody(string pem)
    {
        var lines = pem.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith("-----", StringComparison.Ordinal)).ToList();
        return [.. lines, string.Concat(lines)];
    }

    /// <summary><c>user:password</c> and the password alone: as they are, percent-decoded, and as the header of basic authentication has them.</summary>
    private static IEnumerable<string> Forms(string credentials)
    {
        var decoded = Uri.UnescapeDataString(credentials);
        foreach (var text in new[] { credentials, decoded }.Distinct())
        {
            yield return text;
            yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
            if (text.Split(':', 2) is [_, var password])
            {
                yield return password;
                yield return Uri.EscapeDataString(password);
            }
        }
    }

    private static string Plain(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var count) ? Encoding.UTF8.GetString(bytes, 0, count) : "";
    }

    private static string[] Lines(string path) => Read(path)?.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? Encoding.UTF8.GetString(Interop.RegularFile.Read(path, MostBytes)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }
}

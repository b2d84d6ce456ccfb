using System.Text;
using System.Text.Json;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Registry;

/// <summary>A user of a registry.</summary>
/// <param name="User">The name.</param>
/// <param name="Password">The password, or a token that stands for it.</param>
/// <param name="IdentityToken">A token of OAuth 2, in place of both.</param>
internal sealed record RegistryUser(string User, string Password, string? IdentityToken = null)
{
    /// <summary>As the header of basic authentication has it (RFC 7617).</summary>
    public string Basic => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));

    /// <inheritdoc/>
    public override string ToString() => User; // never the password
}

/// <summary>The users of registries in Docker's <c>config.json</c>: what <c>docker login</c> writes there. Credential helpers are programs, and are not run.</summary>
internal sealed class DockerCredentials
{
    /// <summary>Names the folder of <c>config.json</c>.</summary>
    public const string Variable = "DOCKER_CONFIG";

    private readonly Dictionary<string, RegistryUser> _users = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _helped = new(StringComparer.OrdinalIgnoreCase);
    private bool _hasStore;

    /// <summary>Nobody.</summary>
    public static DockerCredentials None { get; } = new();

    /// <summary>Those of this user; a file that is not there has none.</summary>
    /// <exception cref="Faults.FaultException"><c>image.docker-config-invalid</c>.</exception>
    public static DockerCredentials OfUser()
    {
        var folder = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker");
        return Read(Path.Combine(folder, "config.json"));
    }

    /// <summary>Those of a file.</summary>
    /// <exception cref="Faults.FaultException"><c>image.docker-config-invalid</c>.</exception>
    public static DockerCredentials Read(string path)
    {
        var credentials = new DockerCredentials();
        try
        {
            if (!File.Exists(path))
                return credentials;
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            credentials.Take(json.RootElement);
            return credentials;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw ImageFaults.Make("image.docker-config-invalid", $"Docker's configuration {path} cannot be read: {e.Message}", $"Correct it, or name the folder of another in {Variable}.", cause: e);
        }
    }

    /// <summary>The user of a registry; <see langword="null"/>: nobody is known there.</summary>
    /// <param name="host">As in a reference, with its port.</param>
    public RegistryUser? Find(string host) => _users.GetValueOrDefault(host);

    /// <summary>Whether a helper would know more.</summary>
    public bool HasHelper(string host) => _hasStore || _helped.Contains(host);

    private void Take(JsonElement root)
    {
        _hasStore = root.TryGetProperty("credsStore", out var store) && store.GetString() is { Length: > 0 };
        if (root.TryGetProperty("credHelpers", out var helpers))
            _helped.UnionWith(helpers.EnumerateObject().Select(h => HostOf(h.Name)));
        if (!root.TryGetProperty("auths", out var auths))
            return;
        foreach (var entry in auths.EnumerateObject())
        {
            if (UserOf(entry.Value) is { } user)
                _users[HostOf(entry.Name)] = user;
        }
    }

    private static RegistryUser? UserOf(JsonElement entry)
    {
        var token = Text(entry, "identitytoken");
        if (Text(entry, "auth") is { } auth && Encoding.UTF8.GetString(Convert.FromBase64String(auth)).Split(':', 2) is [var user, var password])
            return new RegistryUser(user, password.TrimEnd('\0'), token);
        if (Text(entry, "username") is { } name)
            return new RegistryUser(name, Text(entry, "password") ?? "", token);
        return token is null ? null : new RegistryUser("<token>", "", token);
    }

    private static string? Text(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : null;

    // Docker Hub's entry is https://index.docker.io/v1/; others may have a scheme and a path too.
    private static string HostOf(string key)
    {
        var rest = key.Contains("://", StringComparison.Ordinal) ? key[(key.IndexOf("://", StringComparison.Ordinal) + 3)..] : key;
        var host = rest.Split('/')[0];
        return host is "index.docker.io" or "registry-1.docker.io" ? ImageReference.Hub : host;
    }
}

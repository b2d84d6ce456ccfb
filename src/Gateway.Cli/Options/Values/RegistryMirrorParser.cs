using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary><c>--registry-mirror UPSTREAM=URL[,ca=FILE][,auth=FILE][,skip-verify]</c>.</summary>
internal static class RegistryMirrorParser
{
    private const string Form = "Write --registry-mirror UPSTREAM=URL[,ca=FILE][,auth=FILE][,skip-verify], such as docker.io=https://mirror.example:5000; the file of auth has one line 'user:password'.";

    /// <summary>Reads every mirror; adds a fault for each that is wrong, and for each that names an upstream a second time.</summary>
    public static IReadOnlyList<RegistryMirror> ParseAll(IEnumerable<string> texts, ICollection<Fault> faults)
    {
        var mirrors = new List<RegistryMirror>();
        foreach (var text in texts)
        {
            if (Parse(text, out var problem) is not { } mirror)
                faults.Add(ValueFaults.Make("--registry-mirror", text, problem, Form));
            else if (mirrors.Any(m => m.Upstream == mirror.Upstream))
                faults.Add(ValueFaults.Make("--registry-mirror", text, $"{mirror.Upstream} has a mirror already", "Give each registry one mirror."));
            else
                mirrors.Add(mirror);
        }

        return mirrors;
    }

    private static RegistryMirror? Parse(string text, out string problem)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var upstream = equals < 0 ? "" : text[..equals];
        var parts = equals < 0 ? [] : text[(equals + 1)..].Split(',');
        problem = equals < 0 ? "there is no '=' between the registry and its mirror" : "";
        if (problem.Length == 0 && !IsRegistry(upstream))
            problem = $"'{upstream}' is no registry as image names have it: HOST, HOST:PORT, or *";
        if (problem.Length == 0 && !(Uri.TryCreate(parts[0], UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0))
            problem = $"'{parts[0]}' is no http or https URL";
        else if (problem.Length == 0 && new Uri(parts[0]).UserInfo.Length > 0)
            problem = "credentials do not belong on a command line";
        var mirror = problem.Length > 0 ? null : new RegistryMirror { Upstream = upstream, Url = parts[0].TrimEnd('/') };
        foreach (var option in parts.Skip(1))
        {
            mirror = option.Split('=', 2) switch
            {
                ["skip-verify"] => mirror is null ? null : mirror with { SkipVerify = true },
                ["ca", { Length: > 0 } file] => mirror is null ? null : mirror with { CertificateAuthority = Path.GetFullPath(file) },
                ["auth", { Length: > 0 } file] => mirror is null ? null : mirror with { CredentialsFile = Path.GetFullPath(file) },
                _ => null,
            };
            if (mirror is null && problem.Length == 0)
                problem = $"'{option}' is none of ca=FILE, auth=FILE, skip-verify";
        }

        return mirror;
    }

    private static bool IsRegistry(string text) => text == "*" || (text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or ':' or '[' or ']') && Uri.TryCreate("http://" + text, UriKind.Absolute, out _));
}

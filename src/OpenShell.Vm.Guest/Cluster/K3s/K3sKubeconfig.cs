using System.Text;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>What is needed of the kubeconfig that k3s writes for its administrator: one cluster and one user, every value a line of its own.</summary>
/// <param name="Authority">The CA of the API server's certificate, PEM.</param>
/// <param name="User">The administrator.</param>
internal sealed record K3sKubeconfig(string Authority, KeyPair User)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads it; <see langword="null"/> while it is not whole.</summary>
    public static K3sKubeconfig? Parse(string yaml) =>
        Value(yaml, "certificate-authority-data:") is { } authority && Value(yaml, "client-certificate-data:") is { } certificate && Value(yaml, "client-key-data:") is { } key
            ? new K3sKubeconfig(authority, new KeyPair(certificate, key))
            : null;

    /// <summary>Waits until k3s has written it.</summary>
    public static async Task<K3sKubeconfig> WaitAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (File.Exists(path) && Parse(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false)) is { } kubeconfig)
                    return kubeconfig;
            }
            catch (IOException)
            {
                // Being replaced.
            }

            await Task.Delay(LookEvery, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The same in the form that the host knows.</summary>
    public override string ToString() => Kubeconfig.Text("openshell", ClusterLayout.ApiServer, Authority, User);

    private static string? Value(string yaml, string key)
    {
        foreach (var line in yaml.AsSpan().EnumerateLines())
        {
            var content = line.Trim();
            if (!content.StartsWith(key, StringComparison.Ordinal))
                continue;
            var bytes = new byte[content.Length];
            return Convert.TryFromBase64Chars(content[key.Length..].Trim().Trim('"'), bytes, out var length) && length > 0 ? Encoding.ASCII.GetString(bytes, 0, length) : null;
        }

        return null;
    }
}

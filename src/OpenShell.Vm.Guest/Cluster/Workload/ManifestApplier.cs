using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Applies manifests, one object after the other, in the order of files and documents. What the cluster is not ready for is tried again.</summary>
internal sealed class ManifestApplier(ApiClient api, Tool tool, KubectlFiles? kubectl = null)
{
    // A custom resource's kind, a namespace's default account, RBAC's own roles: all come within seconds, of an emulated machine's time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2), Pause = TimeSpan.FromMilliseconds(300);

    private readonly ResourcePaths _paths = new(api);
    private readonly KubectlFiles _kubectl = kubectl ?? new KubectlFiles("/usr/bin/kubectl", ClusterLayout.KubeconfigOf(ClusterCertificates.Admin));

    /// <summary>Applies all of them.</summary>
    /// <exception cref="GuestFaultException">Some are refused; all others are applied, and all refusals are named.</exception>
    public async Task ApplyAsync(IReadOnlyList<ManifestDocument> documents, CancellationToken cancellationToken)
    {
        var refused = new List<string>();
        foreach (var document in documents)
        {
            var error = document.Header is null
                ? await KubectlAsync(document).ConfigureAwait(false)
                : await ApplyAsync(document, document.Header, cancellationToken).ConfigureAwait(false);
            if (error is not null)
                refused.Add($"{document.Source}: {error}");
        }

        if (refused.Count > 0)
        {
            throw new GuestFaultException(
                "guest.manifest-refused", $"the API server refuses {string.Join("; ", refused)}.", "Correct the manifest; it is applied again at the next start.");
        }
    }

    private async Task<string?> ApplyAsync(ManifestDocument document, ManifestHeader header, CancellationToken cancellationToken)
    {
        for (var deadline = Uptime.Nanoseconds + (Patience.Ticks * 100); ;)
        {
            string error;
            try
            {
                if (await _paths.OfAsync(header, cancellationToken).ConfigureAwait(false) is { } path)
                {
                    await api.ApplyAsync(path, document.Text, cancellationToken).ConfigureAwait(false);
                    return null;
                }

                error = $"the kind {header.ApiVersion} {header.Kind} is not known";
            }
            catch (ApiException refusal) when (refusal.Message.Contains("typed patch object", StringComparison.Ordinal))
            {
                // Kubernetes 1.20 wants keys of lists that have a default (a port's protocol) in a server-side apply; kubectl's own apply does not need them.
                // It is answered as an internal error, but does not pass.
                return await KubectlAsync(document).ConfigureAwait(false);
            }
            catch (ApiException refusal) when (refusal.IsTransient)
            {
                error = refusal.Message;
            }
            catch (ApiException refusal)
            {
                return refusal.Message;
            }
            catch (HttpRequestException exception)
            {
                error = exception.Message;
            }

            if (Uptime.Nanoseconds > deadline)
                return error;
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<string?> KubectlAsync(ManifestDocument document)
    {
        const string File = ClusterLayout.Configuration + "/manifest.yaml";
        OwnerFile.Write(File, document.Text);
        var result = await tool.RunAsync("kubectl", Patience, _kubectl.Program, "--kubeconfig", _kubectl.Kubeconfig, "apply", "-f", File).ConfigureAwait(false);
        return result.IsSuccess ? null : result.Output;
    }
}

/// <summary>kubectl, for what the API client leaves to it.</summary>
/// <param name="Program">Its path.</param>
/// <param name="Kubeconfig">The administrator's kubeconfig.</param>
internal sealed record KubectlFiles(string Program, string Kubeconfig);

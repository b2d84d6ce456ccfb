using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Applies manifests, one object after the other, in the order of files and documents. What the cluster is not ready for is tried again.</summary>
/// <param name="api">The API server.</param>
/// <param name="patience">How long an object is tried that the cluster is not ready for; <see langword="null"/>: as long as a cluster may take to start.</param>
internal sealed class ManifestApplier(ApiClient api, TimeSpan? patience = null)
{
    // A custom resource's kind, a namespace's default account, RBAC's own roles: all come within seconds, of an emulated machine's time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2), Pause = TimeSpan.FromMilliseconds(300);

    private readonly ResourcePaths _paths = new(api);

    /// <summary>Applies all of them.</summary>
    /// <exception cref="GuestFaultException">Some are refused; all others are applied, and all refusals are named.</exception>
    public async Task ApplyAsync(IReadOnlyList<ManifestDocument> documents, CancellationToken cancellationToken)
    {
        var refused = new List<string>();
        foreach (var document in documents)
        {
            if (await ApplyAsync(document, cancellationToken).ConfigureAwait(false) is { } error)
                refused.Add($"{document.Source}: {error}");
        }

        if (refused.Count > 0)
        {
            throw new GuestFaultException(
                "guest.manifest-refused", $"the API server refuses {string.Join("; ", refused)}.", "Correct the manifest; it is applied again at the next start.");
        }
    }

    /// <summary>Applies one.</summary>
    /// <returns>Why it could not be; <see langword="null"/>: it was.</returns>
    public async Task<string?> ApplyAsync(ManifestDocument document, CancellationToken cancellationToken)
    {
        for (var deadline = Uptime.Nanoseconds + ((patience ?? Patience).Ticks * 100); ;)
        {
            string error;
            try
            {
                if (await _paths.OfAsync(document.Header, cancellationToken).ConfigureAwait(false) is { } path)
                {
                    await api.ApplyAsync(path, document.Text, cancellationToken).ConfigureAwait(false);
                    return null;
                }

                error = $"the kind {document.Header.ApiVersion} {document.Header.Kind} is not known";
            }
            // Kubernetes 1.20 answers an object that is not of its kind's schema as an internal error, but that does not pass.
            catch (ApiException refusal) when (refusal.IsTransient && !refusal.Message.Contains("typed patch object", StringComparison.Ordinal))
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

    /// <summary>The path of an object; <see langword="null"/> when its kind is not known.</summary>
    public Task<string?> PathOfAsync(ManifestHeader header, CancellationToken cancellationToken) => _paths.OfAsync(header, cancellationToken);
}

using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>Applies manifests, one object after the other, in the order of files and documents. What the cluster is not ready for is tried again.</summary>
/// <param name="api">The API server.</param>
/// <param name="tool">Runs kubectl, for what is not understood here.</param>
/// <param name="kubectl">Which kubectl; <see langword="null"/>: the image's own.</param>
/// <param name="patience">How long an object is tried that the cluster is not ready for; <see langword="null"/>: as long as a cluster may take to start.</param>
internal sealed class ManifestApplier(ApiClient api, Tool tool, TimeSpan? patience = null, KubectlFiles? kubectl = null)
{
    // A custom resource's kind, a namespace's default account, RBAC's own roles: all come within seconds, of an emulated machine's time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2), Pause = TimeSpan.FromMilliseconds(300);

    // What kubectl says about each object that it applied, one or a list of them: a line that is told from its warnings by its first word.
    private const string Line = "applied";

    private const string Template =
        $$$"""{{define "o"}}{{{Line}}} {{.apiVersion}} {{.kind}} {{.metadata.name}} {{with .metadata.namespace}}{{.}}{{end}}{{"\n"}}{{end}}"""
        + """{{if .items}}{{range .items}}{{template "o" .}}{{end}}{{else}}{{template "o" .}}{{end}}""";

    // Names and kinds of some hundred objects; the end of it is the error, if there is one.
    private const int OutputLength = 64 * 1024, ErrorLength = 600;

    private readonly ResourcePaths _paths = new(api);
    private readonly KubectlFiles _kubectl = kubectl ?? new KubectlFiles("/usr/bin/kubectl", ClusterLayout.KubeconfigOf(ClusterCertificates.Admin));

    /// <summary>Applies all of them.</summary>
    /// <exception cref="GuestFaultException">Some are refused; all others are applied, and all refusals are named.</exception>
    public async Task ApplyAsync(IReadOnlyList<ManifestDocument> documents, CancellationToken cancellationToken)
    {
        var refused = new List<string>();
        foreach (var document in documents)
        {
            if ((await ApplyAsync(document, cancellationToken).ConfigureAwait(false)).Error is { } error)
                refused.Add($"{document.Source}: {error}");
        }

        if (refused.Count > 0)
        {
            throw new GuestFaultException(
                "guest.manifest-refused", $"the API server refuses {string.Join("; ", refused)}.", "Correct the manifest; it is applied again at the next start.");
        }
    }

    /// <summary>Applies one.</summary>
    public async Task<ManifestOutcome> ApplyAsync(ManifestDocument document, CancellationToken cancellationToken)
    {
        if (document.Header is null)
            return await KubectlAsync(document).ConfigureAwait(false);
        return new ManifestOutcome(await ApplyAsync(document, document.Header, cancellationToken).ConfigureAwait(false), [document.Header]);
    }

    /// <summary>The path of an object; <see langword="null"/> when its kind is not known.</summary>
    public Task<string?> PathOfAsync(ManifestHeader header, CancellationToken cancellationToken) => _paths.OfAsync(header, cancellationToken);

    private async Task<string?> ApplyAsync(ManifestDocument document, ManifestHeader header, CancellationToken cancellationToken)
    {
        for (var deadline = Uptime.Nanoseconds + ((patience ?? Patience).Ticks * 100); ;)
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
                return (await KubectlAsync(document).ConfigureAwait(false)).Error;
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

    private async Task<ManifestOutcome> KubectlAsync(ManifestDocument document)
    {
        const string File = ClusterLayout.Configuration + "/manifest.yaml";
        OwnerFile.Write(File, document.Text);
        var result = await tool.RunAsync(
            "kubectl", Patience, OutputLength,
            [_kubectl.Program, "--kubeconfig", _kubectl.Kubeconfig, "apply", "-f", File, "-o", "go-template=" + Template]).ConfigureAwait(false);
        var headers = new List<ManifestHeader>();
        foreach (var line in result.Output.Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [Line, var version, var kind, var name, .. var space])
                headers.Add(new ManifestHeader(version, kind, name, space.FirstOrDefault()));
        }

        return new ManifestOutcome(result.IsSuccess ? null : result.Output.Length <= ErrorLength ? result.Output : result.Output[^ErrorLength..], headers);
    }
}

/// <summary>What became of a manifest's document.</summary>
/// <param name="Error">Why it, or part of it, could not be applied; <see langword="null"/>: it was.</param>
/// <param name="Objects">The objects that it names, as far as that is known.</param>
internal sealed record ManifestOutcome(string? Error, IReadOnlyList<ManifestHeader> Objects);

/// <summary>kubectl, for what the API client leaves to it.</summary>
/// <param name="Program">Its path.</param>
/// <param name="Kubeconfig">The administrator's kubeconfig.</param>
internal sealed record KubectlFiles(string Program, string Kubeconfig);

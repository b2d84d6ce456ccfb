using System.Threading.Channels;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Cluster.Volumes;

/// <summary>
/// Makes the volumes of claims that ask for a class of ours, and takes them away: what CSI's external provisioner does elsewhere, in PID 1, since a pod of its own would have to be
/// downloaded. https://github.com/kubernetes-sigs/sig-storage-lib-external-provisioner
/// </summary>
internal sealed class VolumeController
{
    private const string Volumes = "/api/v1/persistentvolumes", Claims = "/api/v1/persistentvolumeclaims", Classes = "/apis/storage.k8s.io/v1/storageclasses";

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(3);

    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly VolumeFolders _folders;
    private readonly ApiClient _api;
    private readonly string _node;
    private readonly VolumePlace _place;
    private readonly EventRecorder _events;
    private readonly ObjectMirror<Claim> _claims;
    private readonly ObjectMirror<Volume> _volumes;

    /// <summary>A controller; nothing is done yet.</summary>
    /// <param name="api">Where claims and volumes are.</param>
    /// <param name="node">The node that all volumes are on.</param>
    /// <param name="tool">Deletes folders.</param>
    /// <param name="place">Whose volumes it makes, and where.</param>
    public VolumeController(ApiClient api, string node, Tool tool, VolumePlace place)
    {
        _place = place;
        _folders = new VolumeFolders(tool.RemoveAsync, place.Folder);
        _api = api;
        _node = node;
        _events = new EventRecorder(api);
        _claims = new ObjectMirror<Claim>(api, Claims, Claim.Read, Changed);
        _volumes = new ObjectMirror<Volume>(api, Volumes, Volume.Read, Changed);
    }

    /// <summary>Works until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Together.RunAsync(cancellationToken, _claims.RunAsync, _volumes.RunAsync, WorkAsync);

    private void Changed() => _changes.Writer.TryWrite(true);

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        var hasClass = false;
        await Task.WhenAll(_claims.Listed, _volumes.Listed).WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var done = false;
            try
            {
                hasClass = hasClass || await MakeClassAsync(cancellationToken).ConfigureAwait(false);
                done = await TakeStepsAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is ApiException or HttpRequestException or IOException)
            {
                KernelConsole.Say($"volumes: {exception.Message}");
            }

            // What failed is looked at again in any case; else only what changes makes a difference.
            if (done)
                await _changes.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            else
                await Task.Delay(PauseAfterFailure, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Only if there is none: who changed it, or made another the default, meant it.</summary>
    private async Task<bool> MakeClassAsync(CancellationToken cancellationToken)
    {
        await _api.CreateAsync(Classes, VolumeObjects.DefaultClass(_place), cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <returns>Whether every step was taken.</returns>
    private async Task<bool> TakeStepsAsync(CancellationToken cancellationToken)
    {
        var done = true;
        var steps = VolumePlan.Of(_place, _node, _claims.All, _volumes.All, await ReadClassesAsync(cancellationToken).ConfigureAwait(false), _folders.Has);
        foreach (var step in steps)
        {
            try
            {
                await TakeAsync(step, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is ApiException or HttpRequestException or IOException or UnauthorizedAccessException)
            {
                done = false;
                await ReportAsync(step, exception, cancellationToken).ConfigureAwait(false);
            }
        }

        return done;
    }

    private async Task<IReadOnlyList<VolumeClass>> ReadClassesAsync(CancellationToken cancellationToken)
    {
        if (!_claims.All.Any(c => c.VolumeName is null && c.Provisioner == _place.Provisioner))
            return [];
        using var list = await _api.GetAsync(Classes, cancellationToken).ConfigureAwait(false);
        return list is null ? [] : [.. list.RootElement.Items("items").Select(VolumeClass.Read)];
    }

    private async Task TakeAsync(VolumeStep step, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case VolumeStep.MakeVolume(var claim, var type):
                var name = VolumeLayout.NameFor(claim.Reference.Uid!);
                // Made already: the mirror is a moment behind, and the next look goes on from there.
                if (!await _api.CreateAsync(Volumes, VolumeObjects.VolumeOf(_place, claim, type, _node), cancellationToken).ConfigureAwait(false))
                    break;
                _folders.Make(name);
                await _events.NormalAsync(claim.Reference, "ProvisioningSucceeded", $"the volume {name} was made on the state disk", cancellationToken).ConfigureAwait(false);
                break;
            case VolumeStep.MakeFolder(var name2):
                _folders.Make(name2);
                break;
            case VolumeStep.Refuse(var claim, var why):
                await _events.WarnAsync(claim.Reference, "ProvisioningFailed", why, cancellationToken).ConfigureAwait(false);
                break;
            case VolumeStep.ForgetNode(var claim):
                await _api.MergeAsync(ClaimPath(claim), VolumeObjects.WithoutNode(), cancellationToken).ConfigureAwait(false);
                await _events.WarnAsync(claim.Reference, "ProvisioningFailed", $"the node {claim.SelectedNode} is not there; another is chosen", cancellationToken).ConfigureAwait(false);
                break;
            case VolumeStep.Release(var volume):
                await _api.DeleteAsync($"{Volumes}/{volume.Name}", volume.Uid, cancellationToken).ConfigureAwait(false);
                break;
            case VolumeStep.DeleteFolder(var name3):
                await _folders.DeleteAsync(name3).ConfigureAwait(false);
                break;
            case VolumeStep.Forget(var volume):
                // Not while there is data that should be gone: then the step before has failed.
                if (volume.ReclaimPolicy != "Delete" || !_folders.Has(volume.Name))
                    await _api.MergeAsync($"{Volumes}/{volume.Name}", VolumeObjects.WithoutFinalizer(volume), cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(step), step, "Not a known step.");
        }
    }

    private Task ReportAsync(VolumeStep step, Exception exception, CancellationToken cancellationToken)
    {
        if (step is VolumeStep.MakeVolume(var claim, _))
            return _events.WarnAsync(claim.Reference, "ProvisioningFailed", exception.Message + " It is tried again.", cancellationToken);
        // The mirror may be a moment behind; the next look knows.
        KernelConsole.Say($"volumes: {step.GetType().Name}: {exception.Message}");
        return Task.CompletedTask;
    }

    private static string ClaimPath(Claim claim) => $"/api/v1/namespaces/{claim.Reference.Namespace}/persistentvolumeclaims/{claim.Reference.Name}";
}

using System.Text.Json.Nodes;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Hypervisors.Qemu;

/// <summary>
/// Saves a stopped machine to a file and loads it in another process: QEMU's migration with a file in between
/// (https://www.qemu.org/docs/master/devel/migration/mapped-ram.html, https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html).
/// </summary>
internal static class QemuMigration
{
    /// <summary>The oldest with <c>mapped-ram</c>.</summary>
    internal static readonly Version MinimumVersion = new(9, 0);

    /// <summary>QEMU tells of no progress that is worth more often.</summary>
    private static readonly TimeSpan PollPause = TimeSpan.FromMilliseconds(4);

    /// <summary>What QEMU has begun to write it ends with.</summary>
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(30);

    // Memory that is a file on both sides is not copied; what is saved are the devices: less than a megabyte, in milliseconds. (With mapped-ram it fails: "bad alignment".)
    private static readonly string[] WithoutMemory = ["x-ignore-shared"];

    // Each page has its place in the file, which is sparse and read by several threads at once.
    private static readonly string[] WithMemory = ["mapped-ram", "multifd"];

    /// <summary>Saves a machine that was stopped.</summary>
    /// <exception cref="FaultException">QEMU could not: no space, mostly (<c>snapshot.not-saved</c>).</exception>
    internal static async Task SaveAsync(QmpClient qmp, SavedMachine to, CancellationToken cancellationToken)
    {
        await SetUpAsync(qmp, to.HoldsMemory, cancellationToken).ConfigureAwait(false);
        await qmp.ExecuteAsync("migrate", new JsonObject { ["uri"] = "file:" + to.Path }, cancellationToken).ConfigureAwait(false);
        try
        {
            await SavedAsync(qmp, to, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await CancelAsync(qmp).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A machine that is let go on while it is still being saved would be stopped again when that is done.</summary>
    private static async Task CancelAsync(QmpClient qmp)
    {
        using var limit = new CancellationTokenSource(CancelLimit);
        await qmp.ExecuteAsync("migrate_cancel", null, limit.Token).ConfigureAwait(false);
        while ((await qmp.ExecuteAsync("query-migrate", null, limit.Token).ConfigureAwait(false))?["status"]?.GetValue<string>() is not ("cancelled" or "completed" or "failed"))
            await Task.Delay(PollPause, limit.Token).ConfigureAwait(false);
    }

    private static async Task SavedAsync(QmpClient qmp, SavedMachine to, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await qmp.ExecuteAsync("query-migrate", null, cancellationToken).ConfigureAwait(false);
            switch (answer?["status"]?.GetValue<string>())
            {
                case "completed":
                    return;
                case "failed" or "cancelled":
                    throw new FaultException(NotSaved(to.Path, $"{answer["error-desc"]?.GetValue<string>() ?? "it does not say why"}."));
                default:
                    await Task.Delay(PollPause, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>Loads what was saved into a machine that waits for it; it stays stopped.</summary>
    /// <exception cref="FaultException">QEMU refused it (<c>snapshot.not-loaded</c>).</exception>
    internal static async Task LoadAsync(QmpClient qmp, SavedMachine from, CancellationToken cancellationToken)
    {
        if (from.Pages is null)
            await SetUpAsync(qmp, from.HoldsMemory, cancellationToken).ConfigureAwait(false);
        await qmp.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = "file:" + from.Path }, cancellationToken).ConfigureAwait(false);
        while (await qmp.StatusAsync(cancellationToken).ConfigureAwait(false) == "inmigrate")
        {
            var answer = await qmp.ExecuteAsync("query-migrate", null, cancellationToken).ConfigureAwait(false);
            if (answer?["status"]?.GetValue<string>() == "failed")
            {
                throw new FaultException(NotLoaded(from.Path, $"{answer["error-desc"]?.GetValue<string>() ?? "it does not say why"}."));
            }

            await Task.Delay(PollPause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Saves the devices of a machine that was stopped, and no memory, and gives up its disks: made for Xen, whose memory QEMU does not own, and good for any machine whose memory is kept otherwise
    /// (https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html, xen-save-devices-state).
    /// </summary>
    internal static async Task SaveDevicesAsync(QmpClient qmp, string path, CancellationToken cancellationToken)
    {
        try
        {
            await qmp.ExecuteAsync("xen-save-devices-state", new JsonObject { ["filename"] = path, ["live"] = true }, cancellationToken).ConfigureAwait(false);
        }
        catch (QmpException e)
        {
            throw new FaultException(NotSaved(path, e.Message), e);
        }
    }

    private static Fault NotSaved(string path, string why) => new()
    {
        Code = "snapshot.not-saved",
        What = $"QEMU could not save the machine to {path}: {why}",
        Remedy = "See that there is room for the machine's memory on that disk; the machine itself goes on.",
    };

    /// <summary>The fault that QEMU refused a saved machine.</summary>
    internal static Fault NotLoaded(string path, string why) => new()
    {
        Code = "snapshot.not-loaded",
        What = $"QEMU could not load the machine that was saved in {path}: {why}",
        Remedy = "Start it from its disk: 'gateway up --start boot'.",
    };

    private static async Task SetUpAsync(QmpClient qmp, bool memory, CancellationToken cancellationToken)
    {
        await qmp.ExecuteAsync("migrate-set-capabilities", new JsonObject { ["capabilities"] = Capabilities(memory ? WithMemory : WithoutMemory) }, cancellationToken).ConfigureAwait(false);

        // At rest there is nobody to spare: as fast as the disk takes it. The default is 128 MiB/s. And nobody has to hear where the guest's network card is now: its only peer is new as well, and each announcement would wake the guest up.
        await qmp.ExecuteAsync("migrate-set-parameters", new JsonObject { ["max-bandwidth"] = 0, ["announce-rounds"] = 0 }, cancellationToken).ConfigureAwait(false);
    }

    // Each of them, on or off: a machine that went on from a golden image was loaded with others than it is saved with.
    private static JsonArray Capabilities(string[] names) =>
        new([.. WithoutMemory.Concat(WithMemory).Select(name => (JsonNode)new JsonObject { ["capability"] = name, ["state"] = names.Contains(name) })]);
}

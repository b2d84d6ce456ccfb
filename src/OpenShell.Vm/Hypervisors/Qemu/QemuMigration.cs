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
        while (true)
        {
            var answer = await qmp.ExecuteAsync("query-migrate", null, cancellationToken).ConfigureAwait(false);
            switch (answer?["status"]?.GetValue<string>())
            {
                case "completed":
                    return;
                case "failed" or "cancelled":
                    throw new FaultException(new Fault
                    {
                        Code = "snapshot.not-saved",
                        What = $"QEMU could not save the machine to {to.Path}: {answer["error-desc"]?.GetValue<string>() ?? "it does not say why"}.",
                        Remedy = "See that there is room for the machine's memory on that disk; the machine itself goes on.",
                    });
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
        await SetUpAsync(qmp, from.HoldsMemory, cancellationToken).ConfigureAwait(false);
        await qmp.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = "file:" + from.Path }, cancellationToken).ConfigureAwait(false);
        while (await qmp.StatusAsync(cancellationToken).ConfigureAwait(false) == "inmigrate")
        {
            var answer = await qmp.ExecuteAsync("query-migrate", null, cancellationToken).ConfigureAwait(false);
            if (answer?["status"]?.GetValue<string>() == "failed")
            {
                throw new FaultException(new Fault
                {
                    Code = "snapshot.not-loaded",
                    What = $"QEMU could not load the machine that was saved in {from.Path}: {answer["error-desc"]?.GetValue<string>() ?? "it does not say why"}.",
                    Remedy = "Start it from its disk: 'gateway up --start boot'.",
                });
            }

            await Task.Delay(PollPause, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task SetUpAsync(QmpClient qmp, bool memory, CancellationToken cancellationToken)
    {
        await qmp.ExecuteAsync("migrate-set-capabilities", new JsonObject { ["capabilities"] = Capabilities(memory ? WithMemory : WithoutMemory) }, cancellationToken).ConfigureAwait(false);

        // At rest there is nobody to spare: as fast as the disk takes it. The default is 128 MiB/s.
        await qmp.ExecuteAsync("migrate-set-parameters", new JsonObject { ["max-bandwidth"] = 0 }, cancellationToken).ConfigureAwait(false);
    }

    // Each of them, on or off: a machine that went on from a golden image was loaded with others than it is saved with.
    private static JsonArray Capabilities(string[] names) =>
        new([.. WithoutMemory.Concat(WithMemory).Select(name => (JsonNode)new JsonObject { ["capability"] = name, ["state"] = names.Contains(name) })]);
}

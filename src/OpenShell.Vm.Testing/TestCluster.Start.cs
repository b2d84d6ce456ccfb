using System.Security.Cryptography;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Testing;

public sealed partial class TestCluster
{
    private static readonly SharedWork<string, bool> Swept = new();

    /// <summary>Starts a cluster and returns when it is ready: its gateway has answered a health check over mutual TLS.</summary>
    /// <param name="options">What it is to be; <see langword="null"/>: the default of everything.</param>
    /// <param name="cancellationToken">Gives up; nothing is left then, as with every failure.</param>
    /// <exception cref="FaultException">It could not be started: says what is wrong, and what to do about it.</exception>
    public static async Task<TestCluster> StartAsync(TestClusterOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new TestClusterOptions();
        if (options.Directories is null)
            await SweepOnceAsync(options, cancellationToken).ConfigureAwait(false);

        var remains = new Remains(options, $"{options.NamePrefix}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        try
        {
            var config = options.ToConfig(remains.Name);
            try
            {
                return await StartAsync(remains, config, options, cancellationToken).ConfigureAwait(false);
            }
            catch (FaultException e) when (e.Faults[0].Code == "snapshot.none")
            {
                // Somebody has removed the image since this process saw it. A second time is no coincidence.
                options.Log($"TestCluster: {e.Faults[0].What} Once more.");
                GoldenStart.Forget(remains.Instances, config, options);
                await remains.EndInstanceAsync().ConfigureAwait(false);
                return await StartAsync(remains, config, options, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            await remains.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<TestCluster> StartAsync(Remains remains, InstanceConfig config, TestClusterOptions options, CancellationToken cancellationToken)
    {
        var why = await GoldenStart.WhyNoneAsync(remains.Instances, config, options, cancellationToken).ConfigureAwait(false);
        if (why is not null)
            options.Log($"TestCluster: {remains.Name} boots, which takes a minute under software emulation: {why}");

        // What is to be a copy never boots behind a test's back: it fails, and says why.
        var running = remains.Running = await remains.Instances.RunAsync(config with { Start = why is null ? StartKinds.Resume : StartKinds.Boot }, null, cancellationToken).ConfigureAwait(false);
        var status = await running.Ready.WaitAsync(cancellationToken).ConfigureAwait(false);
        var agent = await running.Agent.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new TestCluster(remains, status, agent, why);
    }

    private static async Task SweepOnceAsync(TestClusterOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await Swept.GetAsync("", async token =>
            {
                await TestFolder.SweepAsync(cancellationToken: token).ConfigureAwait(false);
                return true;
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FaultException or IOException or UnauthorizedAccessException)
        {
            // Somebody else's remains are no reason for this test to fail.
            options.Log($"TestCluster: what a killed process left could not be removed: {e.Message}");
        }
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Testing;

/// <summary>All that there is to remove of a cluster, from the moment at which there is the first of it.</summary>
internal sealed class Remains : IAsyncDisposable
{
    private readonly TestFolder? _folder;
    private int _disposed;

    public Remains(TestClusterOptions options, string name)
    {
        Name = name;
        _folder = options.Directories is null ? TestFolder.Create() : null;
        var library = new InstancesOptions { Directories = options.Directories ?? _folder!.Directories, KvmProbeCommand = options.KvmProbeCommand };
        Instances = new LocalInstances(options.UsesGolden is { } uses ? library with { UsesGolden = uses } : library);
    }

    /// <summary>The instance's name.</summary>
    public string Name { get; }

    /// <summary>The library, for the folders of this cluster.</summary>
    public LocalInstances Instances { get; }

    /// <summary>The instance, once it was started.</summary>
    public IRunningInstance? Running { get; set; }

    /// <summary>Ends the machine, and deletes the instance. Nothing is to be kept, so nothing is waited for.</summary>
    public async Task EndInstanceAsync()
    {
        if (Running is { } running)
        {
            await running.StopAsync(force: true).ConfigureAwait(false);
            await running.DisposeAsync().ConfigureAwait(false);
            Running = null;
        }

        // Also where the start failed so early that there was nothing to stop.
        if (await Instances.FindAsync(Name).ConfigureAwait(false) is not null)
            await Instances.DeleteAsync(Name).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        using (_folder)
        {
            try
            {
                await EndInstanceAsync().ConfigureAwait(false);
            }
            catch (FaultException) when (_folder is not null)
            {
                // It could not be deleted in order (its files are damaged, say). The folder goes with all of it.
            }
        }
    }
}

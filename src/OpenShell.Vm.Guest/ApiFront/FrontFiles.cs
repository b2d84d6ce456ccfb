using System.Security.Cryptography;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.ApiFront;

/// <summary>
/// The current <see cref="FrontMaterial"/>, by the files as they are at each look. Files that are missing or cannot be used let nobody in: whom the old ones would let in may be another machine's user.
/// </summary>
/// <param name="own">What the front shows, and whom it lets in; with a seed, which stirs this process's randomness when it changes.</param>
/// <param name="cluster">Who it is to the API server.</param>
/// <param name="log">Takes one line about each change.</param>
/// <param name="stir">For tests: takes a seed.</param>
internal sealed class FrontFiles(string own, string cluster, Action<string> log, Action<ReadOnlyMemory<byte>>? stir = null) : IDisposable
{
    private readonly Lock _gate = new();
    private (string? Own, string? Cluster)? _seen;
    private FrontMaterial? _current;
    private string? _seed;
    private CancellationTokenSource _admission = new();

    /// <summary>Looks at the files, which costs two calls of readlink when they have not changed.</summary>
    /// <returns>What holds now, and what is cancelled when those who are let in by it no longer are; <see langword="null"/>: nobody is let in.</returns>
    public (FrontMaterial Material, CancellationToken Admission)? Current()
    {
        lock (_gate)
        {
            while (Versions() is var version && version != _seen)
            {
                var loaded = Load();
                // Replaced while they were read: then they may be of two sets.
                if (Versions() != version)
                    continue;
                _seen = version;
                Use(loaded);
            }

            return _current is null ? null : (_current, _admission.Token);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
            _admission.Dispose();
    }

    private (string? Own, string? Cluster) Versions() => (ServingFolder.Version(own), ServingFolder.Version(cluster));

    private FrontMaterial? Load()
    {
        try
        {
            StirOnce();
            return FrontMaterial.Load(own, cluster);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            log($"nobody is let in: {exception.Message}");
            return null;
        }
    }

    private void StirOnce()
    {
        var file = Path.Combine(own, ServingFolder.Seed);
        if (!File.Exists(file) || File.ReadAllText(file) is not { } seed || seed == _seed)
            return;
        _seed = seed;
        var bytes = System.Text.Encoding.UTF8.GetBytes(seed);
        if (stir is not null)
            stir(bytes);
        else if (!OpenSslRandom.Stir(bytes))
            log("the randomness of this process could not be stirred");
    }

    private void Use(FrontMaterial? fresh)
    {
        var before = _current;
        _current = fresh;
        if (fresh is not null && fresh.Fingerprint != before?.Fingerprint)
            log("credentials are in force");
        if (before is null || fresh?.ClientAuthority == before.ClientAuthority)
            return;
        var old = _admission;
        _admission = new CancellationTokenSource();
        // Connections hang on it, whose end takes its time.
        ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), old, preferLocal: false);
    }
}

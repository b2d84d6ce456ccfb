using System.Text;
using OpenShell.Vm.Pki;

namespace OpenShell.Gateway.Tls;

/// <summary>
/// Holds the current <see cref="TlsMaterial"/>, and looks whether the files are others: at each new connection, which costs a few calls of readlink, and now and then, for who is connected already and for
/// files that were changed where they are. It looks instead of being told: files are replaced by a link two levels above them, which file notifications miss in one way or another on every
/// kind of file system.
/// </summary>
internal sealed partial class TlsReloader(GatewaySettings settings, TimeProvider time, ILogger<TlsReloader> log) : BackgroundService
{
    private readonly Lock _gate = new();
    private readonly string[] _folders = [.. new[] { settings.Certificate, settings.Key, settings.ClientCa }.Select(file => Path.GetDirectoryName(file) ?? "/").Distinct()];
    private volatile TlsMaterial _current = TlsMaterial.Load(settings);
    private string? _seen;
    private string? _seed;
    private string? _complaint;

    /// <summary>The authorities of clients are others: who was let in by the old ones is no longer.</summary>
    public event Action<TlsMaterial>? AuthoritiesChanged;

    /// <summary>What holds, as it was found at the last look.</summary>
    public TlsMaterial Current => _current;

    /// <summary>What holds for a connection that begins now.</summary>
    public TlsMaterial ForConnection()
    {
        if (Versions() != Volatile.Read(ref _seen))
            Reload();
        return _current;
    }

    /// <summary>Looks once. Files that cannot be used leave what was there in use.</summary>
    public void Reload()
    {
        lock (_gate)
        {
            string seen;
            do
            {
                seen = Versions();
                Look();
            }
            // Replaced while they were read: then they may be of two sets.
            while (Versions() != seen);

            // What could not be used is tried again at the next look.
            Volatile.Write(ref _seen, _complaint is null ? seen : null);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(settings.TlsReload, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                // A set is only ever replaced whole; reading it again would find the same, at the price of some 80,000 instructions that an emulated processor translates first when its machine has just gone on.
                if (!_folders.All(folder => ServingFolder.Version(folder) is not null) || Versions() != Volatile.Read(ref _seen))
                    Reload();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end.
        }
    }

    private string Versions() => string.Join('/', _folders.Select(ServingFolder.Version));

    private void Look()
    {
        try
        {
            StirOnce();
            var fresh = TlsMaterial.Load(settings);
            if (!fresh.IsSameAs(_current))
            {
                var before = _current;
                _current = fresh;
                Reloaded(log, fresh.Certificate.Thumbprint, fresh.Certificate.NotAfter.ToUniversalTime());
                if (!fresh.HasAuthoritiesOf(before))
                    AuthoritiesChanged?.Invoke(fresh);
            }
            _complaint = null;
        }
        catch (TlsMaterialException unusable) when (unusable.Message != _complaint)
        {
            // Once per complaint, not once per look; in the middle of a swap the next look already finds all well.
            _complaint = unusable.Message;
            NotReloaded(log, unusable.Message);
        }
        catch (TlsMaterialException)
        {
            // Said before.
        }
    }

    /// <summary>A new seed beside the certificate: this process's memory may be that of another machine's too, which would go on with the same random numbers.</summary>
    private void StirOnce()
    {
        try
        {
            var seed = File.ReadAllText(Path.Combine(_folders[0], ServingFolder.Seed));
            if (seed == _seed)
                return;
            _seed = seed;
            if (!OpenSslRandom.Stir(Encoding.UTF8.GetBytes(seed)))
                NotStirred(log);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            // Who gives none needs none.
        }
    }

    [LoggerMessage(LogLevel.Information, "TLS files have changed: now using certificate {Thumbprint}, valid until {NotAfter:u}.")]
    private static partial void Reloaded(ILogger log, string thumbprint, DateTime notAfter);

    [LoggerMessage(LogLevel.Error, "TLS files have changed and cannot be used, going on with the old ones: {Reason}")]
    private static partial void NotReloaded(ILogger log, string reason);

    [LoggerMessage(LogLevel.Error, "The randomness of this process could not be stirred: there is no OpenSSL 3.")]
    private static partial void NotStirred(ILogger log);
}

namespace OpenShell.Gateway.Tls;

/// <summary>
/// Holds the current <see cref="TlsMaterial"/> and looks at the files again now and then. It looks instead of being told: the kubelet swaps
/// a link two levels above the files, which file notifications miss in one way or another on every kind of file system.
/// </summary>
internal sealed partial class TlsReloader(GatewaySettings settings, TimeProvider time, ILogger<TlsReloader> log) : BackgroundService
{
    private volatile TlsMaterial _current = TlsMaterial.Load(settings);
    private string? _complaint;

    /// <summary>For connections from now on; those that exist keep what they were made with.</summary>
    public TlsMaterial Current => _current;

    /// <summary>Looks once. Files that cannot be used leave what was there in use.</summary>
    public void Reload()
    {
        try
        {
            var fresh = TlsMaterial.Load(settings);
            if (!fresh.IsSameAs(_current))
            {
                _current = fresh;
                Reloaded(log, fresh.Certificate.Thumbprint, fresh.Certificate.NotAfter.ToUniversalTime());
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

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(settings.TlsReload, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
                Reload();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end.
        }
    }

    [LoggerMessage(LogLevel.Information, "TLS files have changed: now using certificate {Thumbprint}, valid until {NotAfter:u}.")]
    private static partial void Reloaded(ILogger log, string thumbprint, DateTime notAfter);

    [LoggerMessage(LogLevel.Error, "TLS files have changed and cannot be used, going on with the old ones: {Reason}")]
    private static partial void NotReloaded(ILogger log, string reason);
}

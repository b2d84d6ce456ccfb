namespace OpenShell.Vm.Timeline;

/// <summary>
/// Places the guest's times on the host's timeline. A message says the guest's uptime when it was sent; it arrives a little later. The smallest difference
/// seen between arrival and uptime is the best estimate of when the guest's clock was zero. Fixed by the handshake, it is only ever improved to earlier.
/// </summary>
public sealed class GuestClock
{
    private TimeSpan? _zero;

    /// <summary>When the guest's kernel started its clock, since the start of the instance; <see langword="null"/> before the first message.</summary>
    public TimeSpan? Zero => _zero;

    /// <summary>Learns from a message and places it.</summary>
    /// <param name="arrived">When it arrived, since the start of the instance.</param>
    /// <param name="guestUptime">The guest's uptime when it was sent.</param>
    /// <returns>When it was sent, since the start of the instance; never after it arrived.</returns>
    public TimeSpan Place(TimeSpan arrived, TimeSpan guestUptime)
    {
        if (_zero is null || arrived - guestUptime < _zero)
            _zero = arrived - guestUptime;
        return _zero.Value + guestUptime;
    }

    /// <summary>A new machine: forget the old one's clock.</summary>
    public void Reset() => _zero = null;
}

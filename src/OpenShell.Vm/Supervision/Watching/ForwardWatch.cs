using OpenShell.Vm.Events;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>What can be found out about forwards, and done about them.</summary>
internal interface IForwards
{
    /// <summary>Those that are to be.</summary>
    IReadOnlyList<PortForward> Wanted { get; }

    /// <summary>Those that gvproxy knows of.</summary>
    Task<IReadOnlyList<PortForward>> InForceAsync(CancellationToken cancellationToken);

    /// <summary>Whether somebody listens on the host's end. Nothing is connected: the guest's service is not disturbed.</summary>
    bool IsListening(PortForward forward);

    /// <summary>Whether the guest answers through it; <see langword="null"/> where that cannot be known, since only its user knows what is spoken there.</summary>
    Task<bool?> AnswersAsync(PortForward forward, CancellationToken cancellationToken);

    /// <summary>Makes it again.</summary>
    Task RemakeAsync(PortForward forward, CancellationToken cancellationToken);

    /// <summary>gvproxy does not answer: it is ended, and so started again.</summary>
    void GiveUpOnGvproxy(string why);
}

/// <summary>Notices a forward that does not lead to the guest any more, and makes it again.</summary>
/// <param name="forwards">What is looked at.</param>
/// <param name="report">Takes the events.</param>
internal sealed class ForwardWatch(IForwards forwards, Reporting report) : IWatch
{
    /// <summary>A question to the guest itself costs it a TLS handshake: so many looks apart.</summary>
    private const int LooksPerQuestion = 3;

    /// <summary>A server in the guest that is being started again does not answer for a while, and its forward is none the worse.</summary>
    private const int UnansweredLimit = 3;

    /// <summary>gvproxy answers in a millisecond; a busy host is given this many looks.</summary>
    private const int SilentLimit = 3;

    private readonly Dictionary<PortForward, int> _unanswered = [];
    private readonly HashSet<PortForward> _suspected = [], _lost = [];
    private int _looks, _silent;

    public string Name => "the forwards";

    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var asks = _looks++ % LooksPerQuestion == LooksPerQuestion - 1;
        if (await InForceAsync(cancellationToken).ConfigureAwait(false) is not { } inForce)
            return;
        List<Exception> failures = [];
        foreach (var forward in forwards.Wanted)
        {
            try
            {
                await LookAsync(forward, inForce, asks, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // The others are none the worse for it.
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
            throw failures.Count == 1 ? failures[0] : new AggregateException(failures);
    }

    private async Task LookAsync(PortForward forward, IReadOnlyList<PortForward> inForce, bool asks, CancellationToken cancellationToken)
    {
        var why = !inForce.Contains(forward) ? "gvproxy does not know it any more"
            : !forwards.IsListening(forward) ? "nobody listens on it"
            : null;
        if (why is null && asks)
            await AskAsync(forward, cancellationToken).ConfigureAwait(false);
        if (why is null)
            _suspected.Remove(forward);

        // At the second look: a gvproxy that is just ending has given its ports back a moment before it is gone.
        else if (!_suspected.Add(forward))
            await RemakeAsync(forward, why, cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<PortForward>?> InForceAsync(CancellationToken cancellationToken)
    {
        try
        {
            var inForce = await forwards.InForceAsync(cancellationToken).ConfigureAwait(false);
            _silent = 0;
            return inForce;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            if (++_silent == SilentLimit)
                forwards.GiveUpOnGvproxy($"its control socket does not answer: {e.Message}");
            return null;
        }
    }

    private async Task RemakeAsync(PortForward forward, string why, CancellationToken cancellationToken)
    {
        TellLost(forward, why);
        await forwards.RemakeAsync(forward, cancellationToken).ConfigureAwait(false);
        if (await forwards.AnswersAsync(forward, cancellationToken).ConfigureAwait(false) != false)
            TellRemade(forward);
    }

    /// <summary>Whether somebody answers through it; where nobody does any more, another forward is tried.</summary>
    private async Task AskAsync(PortForward forward, CancellationToken cancellationToken)
    {
        var answers = await forwards.AnswersAsync(forward, cancellationToken).ConfigureAwait(false);
        if (answers != false)
        {
            _unanswered.Remove(forward);
            if (answers == true && _lost.Contains(forward))
                TellRemade(forward);
        }

        // Once for each time that the answers stop: where another one does not help, the forward was not to blame.
        else if ((_unanswered[forward] = _unanswered.GetValueOrDefault(forward) + 1) == UnansweredLimit)
        {
            await RemakeDeafAsync(forward, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RemakeDeafAsync(PortForward forward, CancellationToken cancellationToken)
    {
        const string Deaf = "nobody in the guest answers through it";
        bool answers;
        try
        {
            await forwards.RemakeAsync(forward, cancellationToken).ConfigureAwait(false);
            answers = await forwards.AnswersAsync(forward, cancellationToken).ConfigureAwait(false) == true;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            TellLost(forward, Deaf);
            throw;
        }

        TellLost(forward, answers ? Deaf : $"{Deaf}, nor through one that was made anew: its server does not answer");
        if (answers)
            TellRemade(forward);
    }

    private void TellLost(PortForward forward, string why)
    {
        if (_lost.Add(forward))
            report(EventNames.ForwardLost, $"{forward.Text()} is lost: {why}", forward.HostEnd());
    }

    /// <summary>Once it leads to somebody, as far as that can be known.</summary>
    private void TellRemade(PortForward forward)
    {
        _lost.Remove(forward);
        report(EventNames.ForwardRemade, $"{forward.Text()} is forwarded again", forward.HostEnd());
    }
}

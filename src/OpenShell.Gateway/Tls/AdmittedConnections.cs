using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace OpenShell.Gateway.Tls;

/// <summary>Connections that there are, each with what it was let in by: when the authorities of clients change, those of before are closed.</summary>
internal sealed class AdmittedConnections : IDisposable
{
    private readonly ConcurrentDictionary<BaseConnectionContext, TlsMaterial> _connections = new();
    private readonly TlsReloader _files;

    /// <summary>None yet.</summary>
    public AdmittedConnections(TlsReloader files)
    {
        _files = files;
        files.AuthoritiesChanged += CloseOthers;
    }

    /// <summary>One more, from before its handshake on.</summary>
    /// <param name="connection">It is forgotten when it is closed.</param>
    /// <param name="material">What it is let in by.</param>
    public void Add(BaseConnectionContext connection, TlsMaterial material)
    {
        _connections[connection] = material;
        connection.ConnectionClosed.UnsafeRegister(_ => _connections.TryRemove(connection, out TlsMaterial? _), null);
        // The change may have come in between.
        Check(connection, material, _files.Current);
    }

    /// <inheritdoc/>
    public void Dispose() => _files.AuthoritiesChanged -= CloseOthers;

    private void CloseOthers(TlsMaterial current)
    {
        foreach (var (connection, material) in _connections)
            Check(connection, material, current);
    }

    private static void Check(BaseConnectionContext connection, TlsMaterial material, TlsMaterial current)
    {
        if (!material.HasAuthoritiesOf(current))
            connection.Abort(new ConnectionAbortedException("The authorities of clients have changed."));
    }
}

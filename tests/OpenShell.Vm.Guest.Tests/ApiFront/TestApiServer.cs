using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.ApiFront;

/// <summary>What an API server is to the front: TLS with the cluster's certificates. Says who it thinks calls and what was agreed on, then gives back what it gets, and says goodbye after the caller's end.</summary>
internal sealed class TestApiServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SslServerAuthenticationOptions _options;

    public TestApiServer(IReadOnlyDictionary<string, KeyPair> cluster, params SslApplicationProtocol[] protocols)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(cluster[ClusterCertificates.ClusterCa].CertificatePem);
        _options = new SslServerAuthenticationOptions
        {
            ServerCertificate = cluster[ClusterCertificates.ApiServer].Open(),
            ApplicationProtocols = [.. protocols],
            ClientCertificateRequired = true,
            CertificateChainPolicy = policy,
        };
        _listener.Start();
        _ = AcceptAsync();
    }

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Connections so far.</summary>
    public int Met { get; private set; }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                Met++;
                _ = ServeAsync(socket);
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
        {
            // The end of the test.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsServerAsync(_options);
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"{tls.NegotiatedApplicationProtocol} {tls.RemoteCertificate!.Subject}\n"));
            var buffer = new byte[64 * 1024];
            while (await tls.ReadAsync(buffer) is > 0 and var count)
                await tls.WriteAsync(buffer.AsMemory(0, count));
            await tls.WriteAsync("bye\n"u8.ToArray());
            await tls.ShutdownAsync();
        }
        catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
        {
            // Cut off, or refused.
        }
    }
}

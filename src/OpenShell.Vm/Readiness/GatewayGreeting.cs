using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Vm.Readiness;

/// <summary>
/// A TLS handshake for nothing, with a gateway that has just been resumed and is not yet who it will be. An emulated processor translates code when it is first run, and keeps it: by the time of the first call that counts
/// the gateway's part of a handshake is translated, on a processor that had nothing else to do. Nothing is sent but a certificate that the gateway does not let in yet, and nothing that it says is believed.
/// </summary>
internal static class GatewayGreeting
{
    /// <summary>Greets it. What becomes of that is nobody's concern.</summary>
    /// <param name="port">Its port on the host's loopback.</param>
    /// <param name="client">What will be presented later.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task GiveAsync(int port, X509Certificate2 client, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken).ConfigureAwait(false);
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: false));
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                    ClientCertificateContext = SslStreamCertificateContext.Create(client, additionalCertificates: null, offline: true),
#pragma warning disable CA5359 // Nothing is sent behind the handshake, and nothing is read.
                    RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
                },
                cancellationToken).ConfigureAwait(false);

            // With TLS 1.3 the server looks at the client's certificate when the client is done.
            _ = await tls.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            // It was refused, as it should be; or the machine is slower than the greeting may take.
        }
    }
}

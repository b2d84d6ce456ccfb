using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.ApiFront;

/// <summary>A client as kubectl is one: it shows a certificate, and believes one authority.</summary>
internal sealed class FrontClient : IAsyncDisposable
{
    private FrontClient(SslStream tls) => Tls = tls;

    public SslStream Tls { get; }

    /// <param name="where">The front.</param>
    /// <param name="who">What it shows; <see langword="null"/>: nothing.</param>
    /// <param name="authority">Whom it believes, PEM.</param>
    /// <param name="protocols">What it offers.</param>
    public static async Task<FrontClient> ConnectAsync(IPEndPoint where, KeyPair? who, string authority, SslApplicationProtocol[] protocols)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(where, TestContext.Current.CancellationToken);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [.. protocols] };
        if (who is not null)
            options.ClientCertificateContext = SslStreamCertificateContext.Create(who.Open(), null, offline: true);
        options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.ImportFromPem(authority);
        try
        {
            await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }

        return new FrontClient(tls);
    }

    public async Task<string> LineAsync()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await Tls.ReadAsync(one, TestContext.Current.CancellationToken) == 1 && one[0] != '\n')
            line.Append((char)one[0]);
        return line.ToString();
    }

    public async Task<string> EchoAsync(string text)
    {
        await Tls.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        return await LineAsync();
    }

    /// <summary>The other side ends it, in whatever way.</summary>
    public async Task ShouldBeCutAsync()
    {
        try
        {
            (await Tls.ReadAsync(new byte[1], TestContext.Current.CancellationToken)).ShouldBe(0);
        }
        catch (IOException)
        {
            // A reset.
        }
    }

    public ValueTask DisposeAsync() => Tls.DisposeAsync();
}

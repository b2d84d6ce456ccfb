using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Gateway.Health;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests;

/// <summary>An unmodified gRPC client of another language, against the whole gateway.</summary>
public sealed class PythonClientTests : IAsyncLifetime
{
    private const string Channel = """
        import sys, grpc
        target, folder, mode = sys.argv[1:4]
        read = lambda name: open(folder + '/' + name, 'rb').read()
        with_client = (read('client.key'), read('client.crt')) if mode == 'certificate' else (None, None)
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(read('ca.crt'), *with_client))
        def call(path, message=b'', kind=channel.unary_unary, **options):
            try:
                answer = kind(path)(message, timeout=options.pop('timeout', 20), **options)
                if hasattr(answer, 'trailing_metadata'):
                    for one in answer:
                        print(one.hex(), flush=True)
                else:
                    print('OK', answer.hex(), flush=True)
            except grpc.RpcError as error:
                print(error.code().name, flush=True)

        """;

    private readonly TestPki _pki = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("openshell-python-");
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync(_pki);
        using var client = _pki.Client();
        Write(client);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _pki.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task It_gets_SERVING_with_the_certificate() =>
        (await Run("call('/grpc.health.v1.Health/Check')")).ShouldBe(["OK 0801"]);

    [Fact]
    public async Task It_is_refused_without_a_certificate() =>
        (await Run("call('/grpc.health.v1.Health/Check', timeout=5)", "none")).ShouldBe(["UNAVAILABLE"]);

    [Fact]
    public async Task It_is_refused_with_a_certificate_of_another_authority()
    {
        using var stranger = new TestPki("another CA");
        using var certificate = stranger.Client();
        Write(certificate);

        (await Run("call('/grpc.health.v1.Health/Check', timeout=5)")).ShouldBe(["UNAVAILABLE"]);
    }

    [Fact]
    public async Task It_understands_every_status_that_the_layer_gives() =>
        (await Run("""
            call('/grpc.health.v1.Health/Check', b'\x0a\x01x')
            call('/no.Such/Method')
            call('/grpc.health.v1.Health/Check', b'\x7a' + b'x' * 5000000)
            call('/grpc.health.v1.Health/Check', b'\x0a\x05x')
            call('/grpc.health.v1.Health/Check', b'\x0a\x80\x10' + b'x' * 2048, compression=grpc.Compression.Gzip)
            call('/grpc.health.v1.Health/Watch', kind=channel.unary_stream, timeout=0.5)
            call('/grpc.health.v1.Health/Check')
            """)).ShouldBe(["NOT_FOUND", "UNIMPLEMENTED", "RESOURCE_EXHAUSTED", "INTERNAL", "UNIMPLEMENTED", "0801", "DEADLINE_EXCEEDED", "OK 0801"]);

    [Fact]
    public async Task It_receives_changes_through_a_watch_and_the_end_of_the_server()
    {
        using var process = Start("call('/grpc.health.v1.Health/Watch', kind=channel.unary_stream)");

        (await Line(process)).ShouldBe("0801");
        _gateway.Health.Set("", ServingStatus.NotServing);
        (await Line(process)).ShouldBe("0802");
        _gateway.Health.Set("", ServingStatus.Serving);
        (await Line(process)).ShouldBe("0801");
        var stopped = _gateway.StopAsync();
        (await Line(process)).ShouldBe("0802");
        (await Line(process)).ShouldBe("UNAVAILABLE");
        await stopped;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private async Task<string[]> Run(string script, string mode = "certificate")
    {
        using var process = Start(script, mode);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, await errors);
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private Process Start(string script, string mode = "certificate")
    {
        Python.SkipUnlessGrpc();
        return Python.Start(Channel + script, _gateway.Endpoint.Authority, _folder.FullName, mode);
    }

    private void Write(X509Certificate2 client)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "ca.crt"), _pki.CaPem);
        File.WriteAllText(Path.Combine(_folder.FullName, "client.crt"), client.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.FullName, "client.key"), client.KeyPem());
    }

    private static async Task<string?> Line(Process process) =>
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
}

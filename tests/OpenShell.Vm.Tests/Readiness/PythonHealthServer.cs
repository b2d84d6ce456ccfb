using System.Diagnostics;
using System.Globalization;
using OpenShell.Tests;

namespace OpenShell.Vm.Tests.Readiness;

/// <summary>A health service run by Python's grpcio, with client certificates required, on a free port of the loopback.</summary>
internal sealed class PythonHealthServer : IDisposable
{
    private const string Script = """
        import os, sys, time
        from concurrent import futures
        import grpc

        folder = sys.argv[1]
        read = lambda name: open(os.path.join(folder, name), 'rb').read()

        def check(request, context):
            name = request[2:].decode() if request else ''
            if name == 'sleepy':
                time.sleep(30)
            if name == 'future':
                return bytes([0x7a, 3]) + b'new' + bytes([0x08, 1, 0x15, 1, 2, 3, 4])
            if name == 'down':
                return bytes([0x08, 2])
            if name == 'unset':
                return b''
            if name not in ('', 'x' * 100):
                context.abort(grpc.StatusCode.NOT_FOUND, 'no service \u00ab' + name + '\u00bb, 100 % sure')
            return bytes([0x08, 1])

        server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler('grpc.health.v1.Health', {
            'Check': grpc.unary_unary_rpc_method_handler(check),
        }),))
        credentials = grpc.ssl_server_credentials(
            [(read('tls.key'), read('tls.crt'))], root_certificates=read('ca.crt'), require_client_auth=True)
        print(server.add_secure_port('127.0.0.1:0', credentials), flush=True)
        server.start()
        sys.stdin.read()
        os._exit(0)
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("openshell-health-");
    private readonly Process _process;

    public PythonHealthServer(TestPki pki)
    {
        using var server = pki.Server();
        File.WriteAllText(Path.Combine(_folder.FullName, "ca.crt"), pki.CaPem);
        File.WriteAllText(Path.Combine(_folder.FullName, "tls.crt"), server.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.FullName, "tls.key"), server.KeyPem());
        _process = Python.Start(Script, _folder.FullName);
        var port = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException(_process.StandardError.ReadToEnd());
        Endpoint = new Uri("https://127.0.0.1:" + int.Parse(port, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture));
    }

    public Uri Endpoint { get; }

    public void Dispose()
    {
        // End-of-file on its stdin ends the server.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000))
            _process.Kill();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests;

/// <summary>The program as the kubelet meets it: environment in, exit code out, SIGTERM.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly TestPki _pki = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("openshell-process-");

    public void Dispose()
    {
        _pki.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task SIGTERM_ends_watches_in_order_and_then_the_program_with_0()
    {
        using var process = StartServing(out var endpoint);
        using var certificate = _pki.Client();
        using var client = new TestClient(endpoint, _pki, certificate);
        await Until(async () => (await client.CallAsync("/grpc.health.v1.Health/Check", TestClient.Frame([]))).Status == 0);
        using var watch = await client.SendAsync("/grpc.health.v1.Health/Watch", TestClient.Frame([]));

        LibC.Kill(process.Id, LibC.SigTerm).ShouldBe(0);

        (await watch.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe([0, 0, 0, 0, 2, 0x08, 1, 0, 0, 0, 0, 2, 0x08, 2]);
        watch.TrailingHeaders.GetValues("grpc-status").ShouldBe(["14"]);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Missing_files_are_one_sentence_and_exit_code_1()
    {
        var (code, errors) = await Run([], ("OPENSHELL_TLS_CERT", "/nonexistent/tls.crt"));

        code.ShouldBe(1);
        errors.ShouldStartWith("openshell-gateway: /nonexistent/tls.crt cannot be read");
        errors.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_busy_port_is_one_sentence_and_exit_code_1()
    {
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        var (code, errors) = await Run([], [.. Tls(), ("OPENSHELL_GRPC_PORT", ((IPEndPoint)busy.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture))]);

        code.ShouldBe(1);
        errors.ShouldContain("already in use");
        errors.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Bad_variables_and_arguments_are_usage_errors()
    {
        (await Run([], ("OPENSHELL_GRPC_PORT", "x"))).Code.ShouldBe(2);
        (await Run(["--verbose"])).Code.ShouldBe(2);
        (await Run(["--version"])).Code.ShouldBe(0);
    }

    private Process StartServing(out Uri endpoint)
    {
        var port = FreePort();
        endpoint = new Uri($"https://127.0.0.1:{port}");
        return Start([], [.. Tls(), ("OPENSHELL_GRPC_PORT", $"{port}"), ("OPENSHELL_PROBE_PORT", $"{FreePort()}")]);
    }

    private (string, string)[] Tls()
    {
        using var server = _pki.Server();
        TestGateway.WriteTls(_folder.FullName, server, _pki.CaPem);
        return
        [
            ("OPENSHELL_LISTEN_ADDRESS", "127.0.0.1"), ("OPENSHELL_TLS_CERT", Path.Combine(_folder.FullName, "tls.crt")),
            ("OPENSHELL_TLS_KEY", Path.Combine(_folder.FullName, "tls.key")), ("OPENSHELL_TLS_CLIENT_CA", Path.Combine(_folder.FullName, "ca.crt")),
        ];
    }

    private static async Task<(int Code, string Errors)> Run(string[] arguments, params (string, string)[] environment)
    {
        using var process = Start(arguments, environment);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, errors);
    }

    private static Process Start(string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "openshell-gateway"), arguments) { RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            await Task.Delay(20, patience.Token);
        }
    }
}

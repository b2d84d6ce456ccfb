using System.Net.Sockets;
using OpenShell.Vm.Deliveries;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>The proxies that this shell's environment names: a start hands them to the guest, and what is fetched for images goes through them. Credentials in them are not shown.</summary>
internal sealed class ProxyCheck : IHostCheck
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    public string Name => "proxy";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (HostProxy.Read(context.Host.Variable) is not { } proxy)
            return [new CheckResult(Name, CheckState.Ok, "none is named by this shell's environment")];
        var results = new List<CheckResult>();
        foreach (var (name, url) in new[] { ("http_proxy", proxy.Http), ("https_proxy", proxy.Https) })
        {
            if (url is not null)
                results.Add(await CheckAsync(name, url, cancellationToken));
        }

        if (!KeepsLoopback(proxy.Except))
        {
            results.Add(new CheckResult(
                "no_proxy", CheckState.Warning, $"does not name 127.0.0.1{(proxy.Except is null ? ": it is not set" : "")}",
                "Clients that do not except the loopback by themselves (gRPC's, for one) would ask the proxy for the gateway: export no_proxy=localhost,127.0.0.1,::1" + (proxy.Except is { Length: > 0 } except ? "," + except : "")));
        }

        return results;
    }

    /// <summary>Whether what is on this machine is asked for directly.</summary>
    internal static bool KeepsLoopback(string? except) =>
        (except ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Any(e => e is "*" or "127.0.0.1" or "127.0.0.0/8" or "127.0.0.1/32");

    private static async Task<CheckResult> CheckAsync(string name, string text, CancellationToken cancellationToken)
    {
        Uri url;
        try
        {
            url = HostProxy.Parse(text);
        }
        catch (FormatException)
        {
            return new CheckResult(name, CheckState.Failed, "is no URL of a proxy", "Write it as http://HOST:PORT, or start without: gateway up --proxy none");
        }

        var shown = $"{url.Scheme}://{url.IdnHost}:{url.Port}{(url.UserInfo.Length > 0 ? " (with credentials)" : "")}";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(url.IdnHost, url.Port, limit.Token);
            return new CheckResult(name, CheckState.Ok, $"{shown}, which answers");
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new CheckResult(name, CheckState.Warning, $"{shown} does not answer: {(e is SocketException ? e.Message : $"nothing within {Limit.TotalSeconds:0} s")}", "Nothing can be fetched through it. Correct or unset the variable; what is in the image cache needs none.");
        }
    }
}

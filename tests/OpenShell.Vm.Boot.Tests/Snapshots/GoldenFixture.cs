using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>A golden image, baked where the cache has none of it, and the instances that begin as copies of it.</summary>
public sealed class GoldenFixture : IAsyncLifetime
{
    /// <summary>Small, so that several of them fit beside one another. All tests that begin with a copy take it of this one image.</summary>
    internal static readonly string[] Shape = ["--distribution", "upstream", "--vcpus", "2", "--mem", "3g"];

    private readonly List<string> _names = [];
    private Exception? _failure;

    internal TestHome Home { get; } = new(golden: true);

    internal GatewayCli Gateway => new(Home);

    internal async Task RequireAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
        if (_failure is not null)
            throw new InvalidOperationException("No golden image was baked: " + _failure.Message, _failure);
    }

    public async ValueTask InitializeAsync()
    {
        try
        {
            await Requirements.SkipUnlessMachinesCanBootAsync();
            await BakeAsync(Gateway);
        }
#pragma warning disable CA1031 // Told by every test that needs it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }

    /// <summary>Bakes it, where the cache has none.</summary>
    internal static async Task BakeAsync(GatewayCli gateway) => (await gateway.StartAsync(["image", "bake", "--timeout", "30m", .. Shape])).OrFail();

    /// <summary>Starts an instance that must not boot.</summary>
    internal async Task<JsonElement> ResumeAsync(string name, params string[] options)
    {
        if (!_names.Contains(name))
            _names.Add(name);
        (await Gateway.StartAsync(["up", "--detach", "--name", name, "--start", "resume", "--timeout", "10m", .. Shape, .. options])).OrFail();
        return await StatusAsync(name);
    }

    internal async Task<JsonElement> StatusAsync(string name)
    {
        using var json = JsonDocument.Parse((await Gateway.RunAsync("status", "--name", name, "--output", "json")).OrFail());
        return json.RootElement.Clone();
    }

    internal async Task<string> InGuestAsync(string name, string script) => (await Gateway.RunAsync("exec", "--name", name, "--", "sh", "-c", script)).OrFail();

    internal string KubeconfigOf(string name) => Path.Combine(Home.Home, ".kube", $"gateway-{name}.yaml");

    internal Kubectl KubectlOf(string name) => new(KubeconfigOf(name), Home);

    internal string MtlsOf(string name) => Path.Combine(Home.Config, "openshell", "gateways", "openshell-vm-" + name, "mtls");

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _names)
            await Gateway.RunAsync("stop", "--name", name, "--force");
        Home.Dispose();
    }
}

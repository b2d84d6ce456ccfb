using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Boot.Tests.Deliveries;

/// <summary>What the shared cluster is given along at its start, and what it finds outside: a registry that is reached only by a proxy on the host's loopback.</summary>
internal sealed class GivenAlong : IAsyncDisposable
{
    private readonly TestHome _home;
    private readonly TestRegistry _registry;

    private GivenAlong(TestHome home, TestRegistry registry)
    {
        _home = home;
        _registry = registry;
        Proxy = new ConnectProxy(registry.Port);
    }

    public ConnectProxy Proxy { get; }

    /// <summary>Options of <c>up</c>.</summary>
    public IReadOnlyList<string> Options =>
    [
        "--manifests", File("manifests"), "--images", File("images"), "--ca", File("ca.crt"),
        "--registry-mirror", $"registry.test=https://{TestRegistry.Host},auth={File("auth")}",
    ];

    /// <summary>The environment in which <c>up</c> is called.</summary>
    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>(_home.Environment) { ["https_proxy"] = Proxy.Url, ["no_proxy"] = "never.test" };

    public static async Task<GivenAlong> PrepareAsync(TestHome home)
    {
        var program = Path.Combine(home.Root, "given-program");
        (await HostProgram.RunAsync("gcc", ["-static", "-O1", "-o", program, Path.Combine(AppContext.BaseDirectory, "Deliveries", "given.c")], TimeSpan.FromMinutes(2))).OrFail();
        var bytes = await System.IO.File.ReadAllBytesAsync(program);
        var given = new GivenAlong(home, await TestRegistry.StartAsync(Image("registry.test/pulled:1", bytes)));
        foreach (var folder in (string[])["manifests", "images"])
            Directory.CreateDirectory(given.File(folder));
        await given.WriteAsync("ca.crt", given._registry.Authority);
        await given.WriteAsync("auth", $"{TestRegistry.User}:{TestRegistry.Password}\n");
        await given.WriteAsync("manifests/10-namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: given}\n");
        await given.WriteAsync("manifests/20-pod.yaml", Pod("along", "localhost/given:1", "Never"));
        await given.SaveAsync("images/given.tar", Image("localhost/given:1", bytes));
        return given;
    }

    /// <summary>A pod of the namespace <c>given</c> that says its own name and stays.</summary>
    public static string Pod(string name, string image, string pull) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}, namespace: given}
        spec:
          terminationGracePeriodSeconds: 1
          containers: [{name: main, image: "{{image}}", imagePullPolicy: {{pull}}, args: ["{{name}} runs"]}]

        """;

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await _registry.DisposeAsync();
    }

    private static ContainerImage Image(string reference, byte[] program) => new()
    {
        Reference = reference,
        Architecture = "amd64",
        Entrypoint = ["/given"],
        User = "0:0",
        Files = [new ImageFile("given", program, Executable: true)],
        Labels = new Dictionary<string, string> { ["of"] = reference },
    };

    private string File(string name) => Path.Combine(_home.Root, "given", name);

    private Task WriteAsync(string name, string text) => System.IO.File.WriteAllTextAsync(File(name), text);

    private async Task SaveAsync(string name, ContainerImage image)
    {
        await using var output = System.IO.File.Create(File(name));
        await OciArchive.WriteAsync(image, output, TestContext.Current.CancellationToken);
    }
}

using System.Diagnostics;
using System.Text;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>The host's own kubectl with the kubeconfig that <c>gateway up</c> wrote, in one namespace or in none.</summary>
internal sealed class Kubectl(string kubeconfig, TestHome home, string? ns = null)
{
    // Longer than any kubectl --timeout below, so that kubectl's own message is seen.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(15);

    public string Kubeconfig => kubeconfig;

    /// <summary>The namespace, if it is in one.</summary>
    public string? Namespace => ns;

    public Kubectl In(string name) => new(kubeconfig, home, name);

    /// <summary>Runs it and returns its output; fails with all it said unless it ends with 0.</summary>
    public async Task<string> RunAsync(params IReadOnlyList<string> arguments) => (await TryAsync(arguments)).OrFail();

    /// <summary>Runs it.</summary>
    public Task<Finished> TryAsync(params IReadOnlyList<string> arguments) => HostProgram.RunAsync("kubectl", All(arguments), Timeout, home.Environment);

    /// <summary>Starts it and leaves it running.</summary>
    public Process Start(params IReadOnlyList<string> arguments) => HostProgram.Start("kubectl", All(arguments), home.Environment);

    /// <summary><c>kubectl apply -f -</c>. The API server checks what it gets; for kubectl to do so, too, it would first have the description of all kinds sent.</summary>
    public async Task ApplyAsync(string manifest)
    {
        Finished apply;
        var attempts = 5;
        do
            apply = await HostProgram.RunAsync("kubectl", All(["apply", "--validate=false", "-f", "-"]), Timeout, home.Environment, Encoding.UTF8.GetBytes(manifest));
        // kubectl waits 32 s for the description of all kinds, which an API server that has just started makes when it is first asked for: on a busy machine, longer.
        while (apply.Err.Contains("failed to download openapi", StringComparison.Ordinal) && attempts-- > 0);
        apply.OrFail();
    }

    /// <summary>Waits for a condition of an object.</summary>
    public Task<string> WaitAsync(string condition, string target) => RunAsync("wait", "--for", condition, target, "--timeout", "600s");

    private string[] All(IReadOnlyList<string> arguments) =>
        [arguments[0], "--kubeconfig", kubeconfig, .. ns is null ? (string[])[] : ["--namespace", ns], .. arguments.Skip(1)];
}

using System.Collections;
using System.Runtime.InteropServices;
using OpenShell.Gateway.Cli.Doctor;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Runtime;
using OpenShell.Vm.Support;
using OpenShell.Vm.Support.Redaction;

namespace OpenShell.Gateway.Cli.Support;

/// <summary>What a support bundle says about the machine and this program. Each part is made by itself: one that cannot be made is named, and keeps no other from being there.</summary>
internal sealed class HostReport(CommandContext context, List<string> problems)
{
    /// <summary>A hashed file, a probe that is killed when it hangs: none takes longer on a machine that works.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    // What this program and the tools that it runs look at.
    private static readonly string[] Variables =
    [
        "HOME", "PATH", "TERM", "LANG", "LC_ALL", "NO_COLOR", "CI", "KUBECONFIG", "DOCKER_CONFIG", "DOTNET_ROOT", "TMPDIR", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
        "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    ];

    /// <summary>The names of what <see cref="MakeAsync"/> makes, for one instance or for none.</summary>
    public static IReadOnlyList<string> Names(string? instance) =>
    [
        "host/doctor.txt", "host/doctor.json", "host/facts.json", "host/versions.json", "host/instances.json", "host/images.json",
        .. instance is null ? (string[])[] : ["instance/next-start.json", "instance/files.txt"],
    ];

    /// <summary>All of it.</summary>
    public async Task<IReadOnlyList<SupportItem>> MakeAsync(string? instance, CancellationToken cancellationToken)
    {
        var items = new List<SupportItem>();
        IReadOnlyList<CheckResult> checks = [];
        await AddAsync("host/doctor.json", SupportContent.Json, async token =>
        {
            checks = await HostChecks.RunAllAsync(context, token);
            return CliJson.Text(new DoctorView(checks.All(c => c.State != CheckState.Failed), checks));
        });
        await AddAsync("host/doctor.txt", SupportContent.Text, _ =>
        {
            var text = new StringWriter { NewLine = "\n" };
            DoctorText.Write(text, checks);
            return Task.FromResult(text.ToString());
        });
        HostFacts? host = null;
        await AddAsync("host/facts.json", SupportContent.Json, async token =>
        {
            host = await new HostProbe(context.Host.Directories, [.. context.Host.Self, HiddenCommands.KvmProbe]).ProbeAsync(token);
            return CliJson.Text(host);
        });
        await AddAsync("host/versions.json", SupportContent.Json, async token => CliJson.Text(await VersionsAsync(host, token)));
        await AddAsync("host/instances.json", SupportContent.Json, async token => CliJson.Text<IReadOnlyList<StatusView>>([.. (await context.Host.Instances.ListAsync(token)).Select(StatusView.Of)]));
        await AddAsync("host/images.json", SupportContent.Json, async token => CliJson.Text<IReadOnlyList<ArtifactView>>([.. (await context.Host.Images.ListAsync(token)).Select(ArtifactView.Of)]));
        if (instance is null)
            return items;
        await AddAsync("instance/next-start.json", SupportContent.Json, async token => CliJson.Text(await context.Host.Instances.PlanAsync(await context.Host.Instances.ConfigAsync(instance, token) ?? new InstanceConfig { Name = instance }, token)));
        await AddAsync("instance/files.txt", SupportContent.Text, _ => Task.FromResult(new SupportFiles(context.Host.Directories).Listing(instance)));
        return items;

        async Task AddAsync(string name, SupportContent content, Func<CancellationToken, Task<string>> make)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Limit);
            try
            {
                items.Add(new TextItem(name, content, await make(limit.Token).WaitAsync(limit.Token)));
            }
            catch (FaultException e)
            {
                problems.Add($"{name}: {string.Join(' ', e.Faults.Select(f => f.What))}");
            }
#pragma warning disable CA1031 // whatever is wrong with this machine is what the bundle is made for
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                problems.Add($"{name}: {e.GetType().Name}: {e.Message}");
            }
        }
    }

    /// <summary>The environment of this process.</summary>
    public static IReadOnlyDictionary<string, string> Environment() =>
        System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);

    private async Task<VersionsView> VersionsAsync(HostFacts? host, CancellationToken cancellationToken)
    {
        var images = await context.Host.Images.FindAsync(new ImageRequest { Mode = GuestMode.Cluster }, cancellationToken);
        return new VersionsView(
            CommandCatalog.Version,
            RuntimeInformation.FrameworkDescription,
            RuntimeInformation.OSDescription,
            File.Exists("/etc/os-release") ? File.ReadLines("/etc/os-release").FirstOrDefault(l => l.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))?[12..].Trim('"') : null,
            System.Environment.OSVersion.VersionString,
            RuntimeInformation.OSArchitecture.ToString(),
            System.Environment.ProcessorCount,
            context.Host.Time.GetUtcNow(),
            host is null ? [] : await new RuntimeInspector(context.Host.Directories).InspectAsync(host, images, cancellationToken),
            Environment().Where(v => Variables.Contains(v.Key) || v.Key.StartsWith("OPENSHELL_", StringComparison.Ordinal)).ToDictionary());
    }
}

using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Options;

/// <summary>What the machine is given along: a workload, certificate authorities, registries, proxies.</summary>
internal sealed class DeliveryOptions
{
    private readonly WorkloadOptions _workload = new(
        "Apply these Kubernetes manifests (a file or a folder); may be repeated.",
        "Load these archives of container images (a file or a folder: docker save, OCI layout), so that pods need no registry; may be repeated.",
        "Install this packaged Helm chart (k3s); may be repeated.");
    private readonly Option<string[]> _authorities = new("--ca") { Description = "Trust these certificate authorities as well (PEM); 'host' means all that this machine trusts; may be repeated.", HelpName = "FILE" };
    private readonly Option<string[]> _mirrors = new("--registry-mirror") { Description = "Pull images of a registry from another; '*' stands for all; may be repeated.", HelpName = "UPSTREAM=URL[,ca=FILE][,auth=FILE][,skip-verify]" };
    private readonly Option<string?> _proxy = new("--proxy") { Description = "Proxies for the guest: host (this shell's http_proxy, https_proxy, no_proxy) or none (host).", HelpName = "NAME" };

    public DeliveryOptions()
    {
        _authorities.CompletionSources.Add(CertificateBundle.Host);
        _proxy.CompletionSources.Add("host", "none");
    }

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        _workload.AddTo(command);
        foreach (var option in new Option[] { _authorities, _mirrors, _proxy })
            command.Options.Add(option);
    }

    /// <summary>Adds what was asked for, and a fault for each value that is wrong.</summary>
    public InstanceConfig Read(ParseResult parse, CommandContext context, InstanceConfig config, List<Fault> faults)
    {
        var workload = _workload.Read(parse);
        var isGiven = workload.Manifests.Count + workload.Images.Count + workload.Charts.Count > 0;
        if (isGiven && config.Mode == GuestMode.Exec)
            faults.Add(UsageFaults.Make("--manifests, --images and --chart are for a cluster, and --exec runs none.", "Leave one of the two away."));
        config = config with
        {
            Workload = isGiven ? workload : null,
            CertificateAuthorities = [.. (parse.GetValue(_authorities) ?? []).Select(path => path == CertificateBundle.Host ? path : Path.GetFullPath(path))],
            RegistryMirrors = RegistryMirrorParser.ParseAll(parse.GetValue(_mirrors) ?? [], faults),
            Proxy = Proxy(parse.GetValue(_proxy), context, faults),
            Named = config.Named | (parse.GetValue(_proxy) is null ? NamedSettings.None : NamedSettings.Proxy),
        };

        // Here too: before packages are installed for a start that cannot be.
        faults.AddRange(DeliveryFiles.Faults(config));
        return config;
    }

    private static ProxyConfig? Proxy(string? name, CommandContext context, List<Fault> faults)
    {
        if (name is not (null or "host" or "none"))
            faults.Add(ValueFaults.Make("--proxy", name, "it is neither host nor none", "Write --proxy none, and the guest is told of no proxy."));
        if (name == "none" || HostProxy.Read(context.Host.Variable) is not { } proxy)
            return null;
        foreach (var url in new[] { proxy.Http, proxy.Https }.OfType<string>())
        {
            try
            {
                HostProxy.Parse(url);
            }
            catch (FormatException)
            {
                faults.Add(UsageFaults.Make($"The proxy '{ValueFaults.Printable(url)}' of this shell's environment is no URL.", "Correct http_proxy or https_proxy, such as http://proxy.example:3128, or give --proxy none."));
            }
        }

        return proxy;
    }
}

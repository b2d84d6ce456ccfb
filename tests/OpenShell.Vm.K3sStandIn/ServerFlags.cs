namespace OpenShell.Vm.K3sStandIn;

/// <summary>A flag of <c>k3s server</c> that the stand-in knows. All of them: https://docs.k3s.io/cli/server</summary>
/// <param name="Name">Without dashes.</param>
/// <param name="TakesValue">Whether a value follows, after <c>=</c> or as the next argument.</param>
/// <param name="Section">The section of that page.</param>
/// <param name="Here">What the stand-in makes of it.</param>
internal sealed record ServerFlag(string Name, bool TakesValue, string Section, string Here);

/// <summary>What was asked for.</summary>
internal sealed record ServerOptions
{
    public const string DefaultData = "/var/lib/rancher/k3s";

    public string Data { get; init; } = DefaultData;

    public string NodeName { get; init; } = Environment.MachineName.ToLowerInvariant();

    public string? NodeAddress { get; init; }

    /// <summary>Packaged components that are not wanted.</summary>
    public IReadOnlyList<string> Disabled { get; init; } = [];

    /// <summary>Whether a packaged component is wanted.</summary>
    public bool Has(string component) => !Disabled.Contains(component);

    public string PauseImage { get; init; } = "rancher/mirrored-pause:3.6";

    public string KubeconfigMode { get; init; } = "600";

    public IReadOnlyList<string> Names { get; init; } = [];

    public IReadOnlyList<string> KubeletArguments { get; init; } = [];

    public IReadOnlyList<string> ProxyArguments { get; init; } = [];

    public IReadOnlyList<string> ApiServerArguments { get; init; } = [];
}

/// <summary>Reads the command line as urfave/cli does: <c>--flag value</c>, <c>--flag=value</c>, one dash or two; lists repeated or with commas.</summary>
internal static class ServerFlags
{
    /// <summary>The known ones.</summary>
    public static IReadOnlyList<ServerFlag> All { get; } =
    [
        new("data-dir", true, "Data", "where everything is"),
        new("node-name", true, "Agent Node", "the node's name"),
        new("node-ip", true, "Agent Networking", "the node's address, and the API server's"),
        new("tls-san", true, "Listeners", "further names of the API server's certificate"),
        new("write-kubeconfig-mode", true, "Admin Kubeconfig", "the mode of k3s.yaml"),
        new("pause-image", true, "Agent Runtime", "containerd's sandbox image"),
        new("kubelet-arg", true, "Customized Flags", "an argument of the kubelet"),
        new("kube-proxy-arg", true, "Customized Flags", "an argument of kube-proxy; proxy-mode=nftables becomes iptables, and that is said"),
        new("kube-apiserver-arg", true, "Customized Flags", "an argument of the API server"),
        new("disable", true, "Kubernetes Components", "coredns and local-storage; nothing of what else can be named is there"),
        new("disable-helm-controller", false, "Kubernetes Components", "no HelmChart resources"),
        new("disable-network-policy", false, "Kubernetes Components", "nothing: there is no such controller"),
        new("flannel-backend", true, "Networking", "only none"),
        new("snapshotter", true, "Agent Runtime", "only overlayfs"),
        new("resolv-conf", true, "Agent Networking", "only /etc/resolv.conf"),
    ];

    /// <summary>What is printed where the command line is wrong.</summary>
    public static string Usage { get; } = "NAME:\n   k3s server - Run management server\n\nUSAGE:\n   k3s server [OPTIONS]\n\nOPTIONS:\n"
        + string.Concat(All.Select(f => $"   --{f.Name}{(f.TakesValue ? " value" : "")}\n"));

    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">In urfave/cli's words.</exception>
    public static ServerOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ServerOptions();
        for (var at = 0; at < arguments.Count; at++)
        {
            var argument = arguments[at].TrimStart('-');
            if (argument.Length == arguments[at].Length)
                throw new FormatException($"unexpected argument: {arguments[at]}");
            var name = argument.Split('=')[0];
            // Go's flag package, below urfave/cli, names what it does not know with one dash.
            var flag = All.FirstOrDefault(f => f.Name == name) ?? throw new FormatException($"flag provided but not defined: -{name}");
            var value = !flag.TakesValue ? "" : argument.Length > name.Length ? argument[(name.Length + 1)..]
                : ++at < arguments.Count ? arguments[at] : throw new FormatException($"flag needs an argument: -{name}");
            options = With(options, name, value);
        }

        return options;
    }

    private static ServerOptions With(ServerOptions options, string name, string value) => name switch
    {
        "data-dir" => options with { Data = value },
        "node-name" => options with { NodeName = value },
        "disable" => options with { Disabled = [.. options.Disabled, .. value.Split(',')] },
        "disable-helm-controller" => options with { Disabled = [.. options.Disabled, "helm-controller"] },
        "node-ip" => options with { NodeAddress = value },
        "tls-san" => options with { Names = [.. options.Names, .. value.Split(',')] },
        "write-kubeconfig-mode" => options with { KubeconfigMode = value },
        "pause-image" => options with { PauseImage = value },
        "kubelet-arg" => options with { KubeletArguments = [.. options.KubeletArguments, "--" + value] },
        "kube-proxy-arg" => options with { ProxyArguments = [.. options.ProxyArguments, "--" + value] },
        "kube-apiserver-arg" => options with { ApiServerArguments = [.. options.ApiServerArguments, "--" + value] },
        "flannel-backend" => Only(options, name, value, "none"),
        "snapshotter" => Only(options, name, value, "overlayfs"),
        "resolv-conf" => Only(options, name, value, "/etc/resolv.conf"),
        _ => options,
    };

    private static ServerOptions Only(ServerOptions options, string name, string value, string only) =>
        value == only ? options : throw new FormatException($"the stand-in knows -{name} only with the value {only}, not {value}");
}

namespace OpenShell.Vm.Pki;

/// <summary>
/// Every certificate of the cluster, as https://kubernetes.io/docs/setup/best-practices/certificates/ lists them, those of the gateway, and those of the API
/// front. Each of the four CAs is trusted for something else: who is signed by one must not pass for what another stands for.
/// </summary>
internal static class ClusterCertificates
{
    public const string ClusterCa = "ca", FrontProxyCa = "front-proxy-ca", GatewayCa = "gateway-ca", FrontCa = "front-ca";
    public const string Loopback = "loopback";
    public const string ApiServer = "apiserver", ApiServerToKubelet = "apiserver-kubelet-client", FrontProxy = "front-proxy-client";
    public const string KubeletClient = "kubelet-client", KubeletServer = "kubelet-server";
    public const string ControllerManager = "controller-manager", Scheduler = "scheduler", Proxy = "kube-proxy", Admin = "admin";
    public const string GatewayServer = "gateway-server", GatewayClient = "gateway-client";
    public const string FrontServer = "front-server", FrontClient = "front-client";

    // Kubernetes' own group of those who may do everything.
    private const string Masters = "system:masters";

    private static readonly TimeSpan AuthorityValidity = TimeSpan.FromDays(10 * 365);

    /// <summary>All of them, each after the one that signs it.</summary>
    /// <param name="names">What names the cluster and its parts have.</param>
    public static IReadOnlyList<CertificateProfile> For(ClusterNames names) =>
    [
        Authority(ClusterCa, "kubernetes-ca"),
        Authority(FrontProxyCa, "kubernetes-front-proxy-ca"),
        Authority(GatewayCa, $"{names.GatewayName} gateway CA"),
        new()
        {
            Name = ApiServer, CommonName = "kube-apiserver", Issuer = ClusterCa, Use = CertificateUse.Server,
            Names = ApiServerNames(names),
        },
        // kubeadm's choice: RBAC grants a group of this name nothing on the kubelet by itself, and the API server is above RBAC anyway.
        Client(ApiServerToKubelet, "kube-apiserver-kubelet-client", Masters),
        Client(FrontProxy, "front-proxy-client", null, FrontProxyCa),
        Client(KubeletClient, "system:node:" + names.NodeName, "system:nodes"),
        new()
        {
            Name = KubeletServer, CommonName = "system:node:" + names.NodeName, Organization = "system:nodes", Issuer = ClusterCa, Use = CertificateUse.Server,
            Names = Distinct([names.NodeName, "localhost", "127.0.0.1", .. Optional(names.NodeAddress)]),
        },
        // The scheduler's and the controller manager's ports for health and metrics.
        new() { Name = Loopback, CommonName = "openshell-loopback", Issuer = ClusterCa, Use = CertificateUse.Server, Names = ["localhost", "127.0.0.1"] },
        // Its controllers may do what each of them may; together that is everything, and it could take any account's token. RBAC's own role for it is not enough without those accounts.
        Client(ControllerManager, "system:kube-controller-manager", Masters),
        Client(Scheduler, "system:kube-scheduler", null),
        Client(Proxy, "system:kube-proxy", null),
        Client(Admin, "openshell-admin", Masters),
        new()
        {
            Name = GatewayServer, CommonName = names.GatewayName, Issuer = GatewayCa, Use = CertificateUse.Server,
            Names = Distinct(
                [
                    "localhost", "127.0.0.1", "::1", names.GatewayName, "openshell-gateway", "openshell-gateway.openshell", "openshell-gateway.openshell.svc",
                    "openshell-gateway.openshell.svc.cluster.local", .. Optional(names.NodeAddress), .. names.Further,
                ]),
        },
        Client(GatewayClient, names.GatewayName + "-client", null, GatewayCa),
    ];

    /// <summary>Those of the API front, which stands before the API server for callers from outside of the machine, under its names.</summary>
    /// <param name="names">What names the cluster and its parts have.</param>
    public static IReadOnlyList<CertificateProfile> ForFront(ClusterNames names) =>
    [
        Authority(FrontCa, $"{names.GatewayName} API front CA"),
        new() { Name = FrontServer, CommonName = "openshell-api-front", Issuer = FrontCa, Use = CertificateUse.Server, Names = ApiServerNames(names) },
        Client(FrontClient, "openshell-admin", null, FrontCa),
    ];

    /// <summary>Whether a certificate is the machine's own, and no other's that has the same cluster on its disk or in its memory.</summary>
    public static bool IsOfInstance(string name) => name is GatewayCa or GatewayServer or GatewayClient or FrontCa or FrontServer or FrontClient;

    private static string[] ApiServerNames(ClusterNames names) => Distinct(
        [
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", names.NodeName,
            "127.0.0.1", names.ApiServiceAddress, .. Optional(names.NodeAddress), .. names.Further,
        ]);

    private static CertificateProfile Authority(string name, string commonName) =>
        new() { Name = name, CommonName = commonName, Use = CertificateUse.Authority, Validity = AuthorityValidity };

    private static CertificateProfile Client(string name, string commonName, string? organization, string issuer = ClusterCa) =>
        new() { Name = name, CommonName = commonName, Organization = organization, Issuer = issuer, Use = CertificateUse.Client };

    private static string[] Distinct(string[] names) => [.. names.Distinct(StringComparer.OrdinalIgnoreCase)];

    private static string[] Optional(string? name) => name is null ? [] : [name];
}

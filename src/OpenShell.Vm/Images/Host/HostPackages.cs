using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Images.Host;

/// <summary>Every Debian package that this project uses on the host, with its reason. One line each; nothing else is ever installed.</summary>
public static class HostPackages
{
    /// <summary>The purpose of what a running machine needs.</summary>
    public const string Run = "run";

    /// <summary>The purpose of what only this project's tests and benchmarks need.</summary>
    public const string Test = "test";

    /// <summary>The purpose of what only images and machines of the other processor need (<see cref="Architectures"/>).</summary>
    public const string OtherProcessor = "other-processor";

    private static readonly bool OnArm = Architectures.Host == Architectures.Arm64;

    private static readonly string[] CustomKernels = [CustomKernelRecipe.X64.Kind, CustomKernelRecipe.Arm64.Kind];

    /// <summary>Purposes that nothing has without being asked for by name: an ordinary start needs none of them.</summary>
    internal static IReadOnlyList<string> OnRequest { get; } = [Test, OtherProcessor, .. CustomKernels];

    /// <summary>The table.</summary>
    public static IReadOnlyList<HostPackage> All { get; } =
    [
        // Snapshots need mapped-ram, which came with QEMU 9; Debian 12 itself has 7.2. Debian's versions of QEMU have the epoch 1.
        Of(OnArm ? "qemu-system-arm" : "qemu-system-x86", "runs the virtual machine", [Run], suite: "bookworm-backports", minimum: "1:9.0"),
        Of(OnArm ? "qemu-system-x86" : "qemu-system-arm", "emulates machines of the other processor", [OtherProcessor, Test], suite: "bookworm-backports", minimum: "1:9.0"),
        Of("qemu-utils", "makes the disks of instances", [Run], suite: "bookworm-backports", minimum: "1:9.0"),
        Of("mmdebstrap", "builds the guest's root file system from packages", [DebianRootRecipe.Name, DebianRootRecipe.K3sName]),
        Of("uidmap", "lets an ordinary user build it", [DebianRootRecipe.Name, DebianRootRecipe.K3sName, RootRecipe.ClusterName, RootRecipe.ProgramName, RootRecipe.PlainName, RootRecipe.K3sName]),
        Of("squashfs-tools", "makes the root image", [RootRecipe.ClusterName, RootRecipe.ProgramName, RootRecipe.PlainName, RootRecipe.K3sName]),
        Of("kmod", "finds out which kernel module needs which", [KernelRecipe.Name]),
        Of("golang-go", "compiles Kubernetes", [KubernetesRecipe.Name]),
        Of("dpkg-dev", "unpacks the sources of Kubernetes", [KubernetesRecipe.Name]),
        Of("gcc", "links native programs, compiles a kernel", [GuestRecipe.Name, GatewayRecipe.Name, PauseRecipe.Name, .. CustomKernels]),
        Of("libc6-dev", "is what they are linked to", [GuestRecipe.Name, GatewayRecipe.Name, PauseRecipe.Name]),
        Of("zlib1g-dev", "is what .NET's native programs are linked to", [GuestRecipe.Name, GatewayRecipe.Name]),
        Of("make", "builds a kernel", CustomKernels),
        Of("bc", "computes its constants", CustomKernels),
        Of("flex", "reads its configuration", CustomKernels),
        Of("bison", "reads its configuration", CustomKernels),
        Of("libelf-dev", "checks its code (objtool)", [CustomKernelRecipe.X64.Kind]),
        Of("xz-utils", "unpacks its sources", CustomKernels),
        OnArm
            ? Of("gcc-x86-64-linux-gnu", "links and compiles for x86-64", [CustomKernelRecipe.X64.Kind, OtherProcessor, Test])
            : Of("gcc-aarch64-linux-gnu", "links and compiles for AArch64", [CustomKernelRecipe.Arm64.Kind, OtherProcessor, Test]),
        Of(OnArm ? "libc6-dev-amd64-cross" : "libc6-dev-arm64-cross", "is what programs for the other processor are linked to", [OtherProcessor, Test]),
        Of("kubernetes-client", "is the unmodified kubectl that tests use", [Test]) with { Program = "kubectl" },
        Of("python3-grpcio", "is the gRPC client of another language that tests use", [Test]),
        Of("zsh", "is a shell whose completions are tested", [Test]),
        Of("fish", "is a shell whose completions are tested", [Test]),
        Of("mandoc", "checks the manual page", [Test]),
        Of("dnsmasq-base", "is the guest's name server, tested on the host as well", [Test]),
        Of("nftables", "checks the guest's firewall rules", [Test]),
        Of("umoci", "unpacks container images, which tests compare with what this project makes of them", [Test]),
        Of("cpio", "reads archives that this project writes", [Test]),
        Of("iperf3", "measures what a forwarded port lets through, in bench/", [Test]),
        Of("wrk", "measures how many requests a forwarded port lets through, in bench/", [Test]),
        Of("python3-kubernetes", "is the Kubernetes client of another language that tests use", [Test]),
    ];

    // Programs by the package that has them, where the names differ.
    private static readonly Dictionary<string, string> Providers = new(StringComparer.Ordinal)
    {
        ["sqfstar"] = "squashfs-tools",
        ["mksquashfs"] = "squashfs-tools",
        ["unsquashfs"] = "squashfs-tools",
        ["go"] = "golang-go",
        ["dpkg-source"] = "dpkg-dev",
        ["patch"] = "dpkg-dev",
        ["depmod"] = "kmod",
        ["objcopy"] = "binutils",
        ["xz"] = "xz-utils",
        ["aarch64-linux-gnu-gcc"] = "gcc-aarch64-linux-gnu",
        ["x86_64-linux-gnu-gcc"] = "gcc-x86-64-linux-gnu",
        ["newuidmap"] = "uidmap",
    };

    // What makes the guest's system of packages; hosts of other kinds do not have them.
    private static readonly string[] DebianOnly = ["mmdebstrap", "apt-config", "apt-get", "apt-cache", "dpkg-deb"];

    /// <summary>What else there is for a host that is no Debian.</summary>
    internal const string WithoutDebian =
        "Where that is not to be had, the root file system can come from a container image (--base-image IMAGE, docs/images.md says what must be in it and what else a host without apt needs), "
        + "and a whole image, made on Debian, from a bundle ('gateway bundle create').";

    /// <summary>What a start needs packages for, where no image is in the cache: purposes as in <see cref="HostPackage.NeededFor"/>.</summary>
    /// <exception cref="FaultException"><c>image.distribution-unknown</c>.</exception>
    public static IReadOnlyCollection<string> PurposesOf(ImageRequest request) =>
    [
        Run,
        .. ImageBuilder.KindsFor(request).Where(k => request.BaseImage is null || k is not (DebianRootRecipe.Name or DebianRootRecipe.K3sName)),
        .. request.Architecture is null || request.Architecture == Architectures.Host ? (string[])[] : [OtherProcessor],
    ];

    internal static FaultException MissingTool(string program)
    {
        if (program == "dotnet")
            return ImageFaults.Make("setup.no-sdk", "The .NET SDK was not found in PATH.", "Install the .NET 10 SDK, and have its folder in PATH.");
        var package = Providers.GetValueOrDefault(program, program);
        return ImageFaults.Make(
            "setup.missing-package",
            $"The program {program} is not on this host (Debian package {package}).",
            $"Run '{HostSetup.SetupCommand}' to install what is needed." + (DebianOnly.Contains(program) ? " " + WithoutDebian : ""));
    }

    /// <summary>Versions of the packages that a kind of artifact is built with, for its provenance.</summary>
    internal static async Task<IReadOnlyDictionary<string, string>> VersionsForAsync(string kind, CancellationToken cancellationToken)
    {
        var wanted = All.Where(p => p.NeededFor.Contains(kind)).Select(p => p.Name).ToList();
        return wanted.Count == 0 || RuntimeTools.FindProgram("dpkg-query") is null ? new Dictionary<string, string>() : await Dpkg.InstalledAsync(wanted, cancellationToken).ConfigureAwait(false);
    }

    private static HostPackage Of(string name, string why, string[] neededFor, string? suite = null, string? minimum = null) =>
        new() { Name = name, Why = why, NeededFor = neededFor, Suite = suite, MinimumVersion = minimum };
}

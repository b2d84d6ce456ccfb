using System.Formats.Tar;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Formats;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.K3sStandIn;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>Puts the stand-in for k3s together: the program, and behind it the components out of this project's own images. Like every artifact it is built once per content.</summary>
internal sealed class StandInRecipe : Recipe
{
    public const string Name = "k3s-stand-in", Program = "k3s-stand-in";

    private const string Project = "tests/OpenShell.Vm.K3sStandIn";

    // Path in the guest's Debian, and the name below bin/. k3s calls its programs by the same names.
    private static readonly (string From, string To)[] Parts =
    [
        ("usr/bin/etcd", "etcd"),
        ("usr/bin/containerd", "containerd"),
        ("usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2"),
        ("usr/bin/ctr", "ctr"),
        ("usr/sbin/runc", "runc"),
        ("usr/bin/kubectl", "kubectl"),
        ("usr/lib/cni/bridge", "bridge"),
        ("usr/lib/cni/host-local", "host-local"),
        ("usr/lib/cni/loopback", "loopback"),
        ("usr/lib/cni/portmap", "portmap"),
        // CoreDNS' part is played by what does it in upstream's cluster.
        ("usr/sbin/dnsmasq", "dnsmasq"),
    ];

    public override string Kind => Name;

    public override string Title => "Stand-in for k3s";

    public override int Revision => 2;

    public override long SpaceNeeded => 1000L << 20;

    public override bool CompilesDotNet => true;

    public override IReadOnlyList<string> Needs => [DebianRootRecipe.Name, DebianRootRecipe.K3sName, KubernetesRecipe.Name];

    public override IReadOnlyList<string> Sources => [.. NativeProgram.BuildFiles, "src/OpenShell.Vm.Guest", "src/OpenShell.Vm.Files", "src/OpenShell.Vm.Pki", "src/OpenShell.Vm.Protocol", "tests/Directory.Build.props", Project];

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        await NativeProgram.BuildAsync(context, Project, Sources, Program, cancellationToken);
        context.Progress.Running("components");
        using var file = new FileStream(context.Output(Program), FileMode.Open, FileAccess.ReadWrite);
        var start = file.Seek(0, SeekOrigin.End);
        using (var tar = new TarWriter(file, TarEntryFormat.Gnu, leaveOpen: true))
        {
            using var debian = TarIndex.Open(context.Input(DebianRootRecipe.Name, DebianRootRecipe.Tar));
            foreach (var (from, to) in Parts)
                Add(tar, "bin/" + to, new MemoryStream(debian.Read(from)));
            // Libraries of theirs that are not among what k3s wants of its host.
            using var host = TarIndex.Open(context.Input(DebianRootRecipe.K3sName, DebianRootRecipe.Tar));
            foreach (var library in NativeProgram.Libraries(debian, Parts.Select(p => debian.Read(p.From)), []).Where(l => host.Resolve(l.Path) is null))
                Add(tar, "bin/aux/" + Path.GetFileName(library.Path), new MemoryStream(library.Content));
            using var kubernetes = File.OpenRead(context.Input(KubernetesRecipe.Name, KubernetesRecipe.Program));
            Add(tar, "bin/kubernetes", kubernetes);
            foreach (var component in KubernetesRecipe.Components)
                tar.WriteEntry(new GnuTarEntry(TarEntryType.SymbolicLink, "bin/" + component) { LinkName = "kubernetes" });
        }

        Payload.Seal(file, start);
        return "k3s stand-in (Kubernetes 1.20.2)";
    }

    private static void Add(TarWriter tar, string name, Stream content) =>
        tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, name) { Mode = (UnixFileMode)0b111_101_101, DataStream = content, ModificationTime = DateTimeOffset.UnixEpoch });
}

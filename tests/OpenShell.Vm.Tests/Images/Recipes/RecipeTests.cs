using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Tests.Images.Recipes;

public sealed class RecipeTests
{
    private static readonly SourceTree Source = SourceTree.Locate();

    [Fact]
    public void Every_source_that_a_recipe_names_is_there()
    {
        foreach (var recipe in RecipeCatalog.Default.Kinds.Select(RecipeCatalog.Default.Get))
        {
            // A tree has at most one of these, and this one needs none.
            foreach (var path in recipe.Sources.Where(s => !s.EndsWith("uget.config", StringComparison.OrdinalIgnoreCase)))
                Source.Files([path]).ShouldNotBeEmpty($"{recipe.Kind}: {path}");
        }
    }

    [Fact]
    public void Every_need_of_a_recipe_is_in_the_catalogue() =>
        RecipeCatalog.Default.Closure(RecipeCatalog.Default.Kinds).Count.ShouldBe(RecipeCatalog.Default.Kinds.Count);

    [Fact]
    public void Every_package_has_a_reason_and_a_purpose_that_exists()
    {
        HostPackages.All.Select(p => p.Name).ShouldBeUnique();
        foreach (var package in HostPackages.All)
        {
            package.Why.ShouldNotBeNullOrWhiteSpace();
            foreach (var purpose in package.NeededFor)
                RecipeCatalog.Default.Kinds.Append(HostPackages.Run).Append(HostPackages.Test).Append(HostPackages.OtherProcessor).ShouldContain(purpose);
        }
    }

    [Fact]
    public void Mmdebstrap_is_told_exactly_what_was_resolved()
    {
        var locked = new PackageLock
        {
            Suite = "bookworm",
            ResolvedAt = DateTimeOffset.UnixEpoch,
            Packages = [.. ((string[])["bash", "busybox"]).Select(n => new PinnedPackage { Name = n, Version = "1", Architecture = "amd64", Sha256 = "00", Size = 1 })],
        };
        DebianRootRecipe.Command(locked, ["/usr/share/man/*"], "amd64", "unshare", "http://127.0.0.1:9/").ToString().ShouldBe(
            "mmdebstrap --mode=unshare --variant=essential --format=tar --architectures=amd64 --include=bash,busybox "
            + "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --dpkgopt=force-unsafe-io '--dpkgopt=path-exclude=/usr/share/man/*' "
            + "'--aptopt=Acquire::http::Proxy \"DIRECT\"' '--customize-hook=rm \"$1/etc/apt/sources.list\"' bookworm - 'deb [trusted=yes] http://127.0.0.1:9/ ./'");
    }

    [Fact]
    public void Mmdebstrap_only_unpacks_what_it_could_not_run() =>
        DebianRootRecipe.Command(new PackageLock { Suite = "bookworm", ResolvedAt = DateTimeOffset.UnixEpoch, Packages = [] }, [], "arm64", "root", "http://127.0.0.1:9/", unpackedOnly: true)
            .ToString().ShouldStartWith("mmdebstrap --mode=root --variant=extract --format=tar --architectures=arm64 ");

    [Fact]
    public void The_other_processors_kernel_has_its_own_name_and_the_sources_of_Kubernetes_are_the_same()
    {
        var facts = new RecipeFacts(Source, "arm64") { HostArchitecture = "amd64" };
        new KernelRecipe().Packages(facts).Packages.ShouldBe(["linux-image-cloud-arm64"]);
        new KernelRecipe().Packages(facts with { Architecture = "amd64" }).Packages.ShouldBe(["linux-image-cloud-amd64"]);
        new KubernetesRecipe().Packages(facts).LockName.ShouldBe(new KubernetesRecipe().Packages(facts with { Architecture = "amd64" }).LockName);
    }

    [Fact]
    public void What_runs_on_the_host_is_of_the_host_whatever_the_guest_is()
    {
        var facts = new RecipeFacts(Source, "arm64") { HostArchitecture = "amd64" };
        facts.For(new GvproxyRecipe()).Architecture.ShouldBe("amd64");
        facts.For(CustomKernelRecipe.Arm64).Architecture.ShouldBe("amd64");
        facts.For(new GuestRecipe()).RuntimeIdentifier.ShouldBe("linux-arm64");
        facts.CrossPrefix.ShouldBe("aarch64-linux-gnu-");
        (facts with { Architecture = "amd64" }).CrossPrefix.ShouldBeEmpty();
    }

    [Fact]
    public void Only_unpacked_packages_make_another_root_than_configured_ones()
    {
        var native = new RecipeFacts(Source, "arm64") { HostArchitecture = "arm64" };
        DebianRootRecipe.Upstream.Inputs(native).ShouldBeEmpty();
        DebianRootRecipe.Upstream.Inputs(native with { HostArchitecture = "amd64" }).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("1.20.5+really1.20.2-1.1+deb12u1", "1.20.2")]
    [InlineData("1.31.4+ds-1", "1.31.4")]
    public void The_version_of_Kubernetes_is_read_from_Debians(string debian, string upstream) => KubernetesTree.UpstreamVersion(debian).ShouldBe(upstream);

    [Fact]
    public void The_gateways_archive_carries_the_reference_that_its_manifest_asks_for() =>
        WorkloadRecipe.ReferenceIn(File.ReadAllText(Source.PathOf("images/manifests/30-stateful-set.yaml"))).ShouldStartWith("localhost/openshell-gateway:");

    [Fact]
    public async Task The_pause_program_is_static_and_ends_when_told_to()
    {
        using var folder = new TemporaryFolder();
        if (RuntimeTools.FindProgram("gcc") is null)
            Assert.Skip("gcc is not on this host");
        var context = new BuildContext(
            new CacheLayout(folder.File("cache")), new RecipeFacts(Source, "amd64"), new Locks(new CacheLayout(folder.File("cache"))), new Dictionary<string, ArtifactRecord>())
        {
            Folder = folder.Path,
            Tools = new Tools(folder.File("log")),
            Progress = new StepReporter("pause", "pause", null),
        };
        await new PauseRecipe().BuildAsync(context, TestContext.Current.CancellationToken);

        var program = folder.File(PauseRecipe.Program);
        OpenShell.Vm.Images.Formats.ElfFile.Parse(await File.ReadAllBytesAsync(program, TestContext.Current.CancellationToken)).Needed.ShouldBeEmpty();
        using var process = HostTool.Start(program, []);
        while (!HandlesSigterm(process.Id))
            await Task.Delay(5, TestContext.Current.CancellationToken);
        await HostTool.RunAsync("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0);
    }

    // Signals that a process has handlers for, a bit each (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
    private static bool HandlesSigterm(int pid) =>
        (Convert.ToUInt64(File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("SigCgt:", StringComparison.Ordinal)).Split('\t')[1], 16) & (1UL << 14)) != 0;
}

using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;
using OpenShell.Vm.Images.Host;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>
/// The guest's Debian: a tar of essential packages and what a list names, installed by mmdebstrap from pinned versions. For another processor than the host's they are unpacked
/// only, and <see cref="UnpackedDebian"/> makes up for their scripts.
/// </summary>
internal sealed class DebianRootRecipe : Recipe
{
    public const string Name = "debian-root", K3sName = "debian-root-k3s", Tar = "root.tar";
    private const string ExcludeList = "images/debian-root/excludes.list";

    // Unpacked, with dpkg's own data, in mmdebstrap's temporary folder.
    private const long ChrootSize = 600L << 20;

    // mmdebstrap tells its steps, not how far each is; the shares are those of the time they take.
    private static readonly (string Begins, string Shown, double Share)[] Steps =
    [
        ("I: running apt-get update", "package lists", 0.03),
        ("I: downloading packages", "collecting packages", 0.06),
        ("I: extracting archives", "unpacking packages", 0.12),
        ("I: installing essential packages", "configuring packages", 0.4),
        ("I: installing remaining packages", "installing the remaining packages", 0.75),
        ("I: cleaning package lists", "cleaning up", 0.8),
        ("I: creating tarball", "writing the archive", 0.85),
        ("I: done", "done", 0.98),
    ];

    private readonly string _packageList;

    private DebianRootRecipe(string kind, string title, string packageList) => (Kind, Title, _packageList, LockName) = (kind, title, packageList, kind);

    /// <summary>With everything that a cluster of Debian's own packages is made of.</summary>
    public static DebianRootRecipe Upstream { get; } = new(Name, "Debian root file system", "images/debian-root/packages.list");

    /// <summary>With what k3s wants of its host, and none of what it brings along.</summary>
    public static DebianRootRecipe K3s { get; } = new(K3sName, "Debian root file system for k3s", "images/debian-root/k3s-packages.list");

    /// <summary>The first, as it would be for another processor: what tests compare it with.</summary>
    internal static DebianRootRecipe Unpacked { get; } = new("debian-root-unpacked", "Debian root file system, unpacked only", "images/debian-root/packages.list") { LockName = Name, AlwaysUnpacked = true };

    private string LockName { get; init; }

    private bool AlwaysUnpacked { get; init; }

    public override string Kind { get; }

    public override string Title { get; }

    public override int Revision => 2;

    public override long SpaceNeeded => 1500L << 20;

    public override IReadOnlyList<string> Sources => [_packageList, ExcludeList];

    // The same packages, but not the same files.
    public override IReadOnlyList<RecipeInput> Inputs(RecipeFacts facts) => IsUnpacked(facts) ? [new("packages", "unpacked only, completion 2")] : [];

    public override PackageRequest Packages(RecipeFacts facts) => new()
    {
        Name = LockName,
        Suite = RecipeFacts.Suite,
        Packages = facts.Source.List(_packageList),
        Scope = PackageScope.System,
        Architecture = facts.Architecture,
    };

    public override async Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken)
    {
        var locked = context.Locked(this);
        var mode = await BootstrapMode.ChooseAsync(context.Tools, cancellationToken).ConfigureAwait(false);
        context.Note("mmdebstrap --mode=" + mode);
        var unpackedOnly = IsUnpacked(context.Facts);
        await using var chroot = await ChrootFolder.EnterAsync(context, mode, cancellationToken).ConfigureAwait(false);
        if (HostFiles.FreeBytes(chroot.Path) is var free && free < ChrootSize)
            throw ImageFaults.NoSpace(chroot.Path, ChrootSize, free);

        context.Progress.Running("package index");
        await using var repository = await PinnedRepository.StartAsync(locked, context.Store, context.Tools, cancellationToken).ConfigureAwait(false);
        var command = chroot.Contain(Command(locked, context.Source.List(ExcludeList), context.Facts.Architecture, mode, repository.Address, unpackedOnly)) with
        {
            Environment = new Dictionary<string, string?>
            {
                ["TMPDIR"] = chroot.Path,
                // Times in the file system are those of the resolution, not of the build.
                ["SOURCE_DATE_EPOCH"] = locked.ResolvedAt.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture),
                // The repository is on this machine's loopback.
                ["http_proxy"] = null,
                ["HTTP_PROXY"] = null,
            },
            Background = true,
        };
        var made = unpackedOnly ? Path.Combine(context.Scratch("unpacked"), Tar) : context.Output(Tar);
        await context.Tools.RunAsync(
            command,
            input: null,
            async (tar, token) =>
            {
                await using var file = File.Create(made);
                await tar.CopyToAsync(file, token).ConfigureAwait(false);
            },
            cancellationToken,
            line =>
            {
                if (Steps.FirstOrDefault(s => line.StartsWith(s.Begins, StringComparison.Ordinal)) is { Shown: not null } step)
                    context.Progress.Running(step.Shown, step.Share);
            }).ConfigureAwait(false);
        if (unpackedOnly)
        {
            await using var unpacked = File.OpenRead(made);
            await using var completed = File.Create(context.Output(Tar));
            await UnpackedDebian.CompleteAsync(unpacked, completed, cancellationToken).ConfigureAwait(false);
        }

        return $"Debian {locked.Suite}, {locked.Packages.Count} packages" + (unpackedOnly ? ", unpacked only" : "");
    }

    private bool IsUnpacked(RecipeFacts facts) => AlwaysUnpacked || facts.IsForeign;

    /// <summary>The command line. mmdebstrap writes the tar to stdout, so that it needs no write access to the cache as whoever it runs.</summary>
    internal static ToolCommand Command(PackageLock locked, IReadOnlyList<string> excludes, string architecture, string mode, string repository, bool unpackedOnly = false) => new()
    {
        Program = "mmdebstrap",
        Arguments =
        [
            "--mode=" + mode,
            // No apt in the image: it is never changed by packages. Unpacked only: no script of a package is run.
            unpackedOnly ? "--variant=extract" : "--variant=essential",
            "--format=tar",
            "--architectures=" + architecture,
            "--include=" + string.Join(',', locked.Packages.Select(p => p.Name)),
            // /bin is /usr/bin from the start, so that usrmerge (and Perl) is not needed.
            "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
            // Nothing here outlives a crash half-written: the result is a tar that is synced as a whole.
            "--dpkgopt=force-unsafe-io",
            .. excludes.Select(e => "--dpkgopt=path-exclude=" + e),
            "--aptopt=Acquire::http::Proxy \"DIRECT\"",
            // It names the port that this build happened to have.
            "--customize-hook=rm \"$1/etc/apt/sources.list\"",
            locked.Suite,
            "-",
            $"deb [trusted=yes] {repository} ./",
        ],
    };
}

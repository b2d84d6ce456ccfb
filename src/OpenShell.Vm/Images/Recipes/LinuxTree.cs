using System.Globalization;
using System.Text;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>
/// Linux's sources in a build folder that outlives the build, with a folder of object files for each processor: an interrupted compilation goes on where it
/// was, and a changed fragment compiles only what it touches. https://docs.kernel.org/kbuild/reproducible-builds.html says what must be fixed for equal bytes.
/// </summary>
internal sealed class LinuxTree(BuildContext context, string work, PinnedPackage package, LinuxTarget target)
{
    // About how many files are compiled, for the share that is shown; a resumed build has some of them already.
    private const int ObjectFiles = 2300;

    // The name that the kernel tells as who and where it was built.
    private const string Builder = "openshell";

    // Another version of the sources gets a folder of its own.
    private readonly string _sources = Path.Combine(work, "linux-" + package.Sha256[..12]);

    /// <summary>The folder of the object files.</summary>
    public string Objects => Path.Combine(work, $"objects-{package.Sha256[..12]}-{target.Architecture}");

    /// <summary>The configuration in use.</summary>
    public string Configuration => Path.Combine(Objects, ".config");

    private string Unpacked => _sources + ".done";

    /// <summary>Unpacks the sources out of the package, in which they are one compressed tar.</summary>
    public async Task UnpackAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(Unpacked))
            return;
        context.Progress.Running("unpacking the sources");
        HostFiles.DeleteFolder(_sources);
        Directory.CreateDirectory(_sources);
        var files = context.Scratch("linux-source");
        await context.UnpackAsync(package, files, cancellationToken).ConfigureAwait(false);
        var archive = Directory.EnumerateFiles(Path.Combine(files, "usr/src"), "*.tar.xz").Single();
        await context.Tools.RunAsync(
            new ToolCommand { Program = "tar", Arguments = ["--extract", "--file", archive, "--strip-components", "1", "--directory", _sources] }, cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(Unpacked, "", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Configures: the tree's own defaults, its settings for guests, then our fragments; and makes sure that nothing of ours was dropped.</summary>
    /// <exception cref="Faults.FaultException"><c>kernel.option-lost</c>.</exception>
    public async Task ConfigureAsync(IReadOnlyList<string> fragments, CancellationToken cancellationToken)
    {
        context.Progress.Running("configuring");
        Directory.CreateDirectory(Objects);

        // Made anew each time. Which files that concerns the tree finds out by itself, option by option; the others are not compiled again.
        await RunAsync([target.Defaults, "kvm_guest.config"], cancellationToken).ConfigureAwait(false);
        var wanted = new StringBuilder();
        foreach (var fragment in fragments)
            wanted.Append(await File.ReadAllTextAsync(context.Source.PathOf(fragment), cancellationToken).ConfigureAwait(false)).Append('\n');

        // Of two lines for an option the later counts. What the tree would build as a module is left out, or it would be built in with everything else.
        var defaults = KernelConfiguration.WithoutModules(await File.ReadAllTextAsync(Configuration, cancellationToken).ConfigureAwait(false));
        await File.WriteAllTextAsync(Configuration, defaults + "\n" + wanted, cancellationToken).ConfigureAwait(false);
        await RunAsync(["olddefconfig"], cancellationToken).ConfigureAwait(false);

        var lost = KernelConfiguration.Parse(await File.ReadAllTextAsync(Configuration, cancellationToken).ConfigureAwait(false)).Lost(KernelConfiguration.Parse(wanted.ToString()));
        if (lost.Count > 0)
        {
            throw ImageFaults.Make(
                "kernel.option-lost",
                $"The kernel's configurator does not accept {lost.Count} lines of {string.Join(" and ", fragments)}: {string.Join("; ", lost.Take(8))}.",
                "An option's conditions stand in the Kconfig file that defines it: add the line that it needs, or remove this one.",
                context.Tools.LogFile);
        }
    }

    /// <summary>Compiles the target.</summary>
    /// <returns>The kernel's file.</returns>
    public async Task<string> CompileAsync(CancellationToken cancellationToken)
    {
        var compiled = Directory.EnumerateFiles(Objects, "*.o", SearchOption.AllDirectories).Count();
        await context.Tools.RunAsync(
            Make([target.Goal], Environment.ProcessorCount) with { Background = true },
            input: null,
            async (stdout, token) =>
            {
                // One line for each file: "  CC      kernel/fork.o". What goes wrong is told on stderr, which is logged.
                using var reader = new StreamReader(stdout, Encoding.UTF8);
                while (await reader.ReadLineAsync(token).ConfigureAwait(false) is { } line)
                {
                    if (line.EndsWith(".o", StringComparison.Ordinal))
                        compiled++;
                    context.Progress.Running(line.Trim(), Math.Min(0.98, (double)compiled / ObjectFiles));
                }
            },
            cancellationToken).ConfigureAwait(false);
        return Path.Combine(Objects, target.Output);
    }

    /// <summary>Such as <c>6.12.107-openshell</c>.</summary>
    public async Task<string> ReleaseAsync(CancellationToken cancellationToken) =>
        (await File.ReadAllTextAsync(Path.Combine(Objects, "include/config/kernel.release"), cancellationToken).ConfigureAwait(false)).Trim();

    private Task<string> RunAsync(IReadOnlyList<string> goals, CancellationToken cancellationToken) => context.Tools.RunAsync(Make(goals, 1), cancellationToken);

    private ToolCommand Make(IReadOnlyList<string> goals, int jobs) => new()
    {
        Program = "make",
        Arguments =
        [
            "-C", _sources, "O=" + Objects, "ARCH=" + target.KernelName,
            .. target.CrossPrefix is { } prefix ? (string[])["CROSS_COMPILE=" + prefix] : [],
            .. jobs > 1 ? (string[])[string.Create(CultureInfo.InvariantCulture, $"-j{jobs}")] : [],
            // Tools that some hosts have: what they are, or that they are there, ends up in the configuration. Nothing that is built needs them.
            "RUSTC=no-rustc", "PAHOLE=no-pahole",
            .. goals,
        ],
        Environment = new Dictionary<string, string?>
        {
            // Of the sources, not of the build: equal inputs, equal bytes.
            ["KBUILD_BUILD_TIMESTAMP"] = File.GetLastWriteTimeUtc(Path.Combine(_sources, "Makefile")).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture),
            ["KBUILD_BUILD_USER"] = Builder,
            ["KBUILD_BUILD_HOST"] = Builder,
            ["KBUILD_BUILD_VERSION"] = "1",
            // What a user's surroundings could change.
            ["KCFLAGS"] = null,
            ["KAFLAGS"] = null,
            ["LOCALVERSION"] = "",
            ["KCONFIG_CONFIG"] = null,
            ["MAKEFLAGS"] = null,
        },
    };
}

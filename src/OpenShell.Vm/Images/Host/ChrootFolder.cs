using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Host;

/// <summary>Where mmdebstrap unpacks and configures packages: gone when disposed, and whatever an interrupted build left there is removed by the next.</summary>
internal sealed class ChrootFolder : IAsyncDisposable
{
    private readonly string _mode;
    private readonly string _note;
    private readonly Guard _guard;
    private readonly Tools _tools;

    private ChrootFolder(string path, string mode, string note, Guard guard, Tools tools) => (Path, _mode, _note, _guard, _tools) = (path, mode, note, guard, tools);

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    public static async Task<ChrootFolder> EnterAsync(BuildContext context, string mode, CancellationToken cancellationToken)
    {
        var (work, guard) = await context.EnterWorkAsync("chroot", cancellationToken).ConfigureAwait(false);
        try
        {
            // Says where the folder is, for the build after one that was killed.
            var note = System.IO.Path.Combine(work, "folder");
            if (File.Exists(note))
            {
                var left = await File.ReadAllTextAsync(note, cancellationToken).ConfigureAwait(false);
                await Leftovers.EndAsync($"TMPDIR={left}", cancellationToken).ConfigureAwait(false);
                await RemoveAsync(left, mode, context.Tools).ConfigureAwait(false);
            }

            // In a user namespace mmdebstrap works as a user who may not enter this user's home; so there it is a public folder, with a private name.
            var path = mode == "root" ? context.Scratch("chroot") : Directory.CreateTempSubdirectory("openshell-vm-chroot-").FullName;
            if (mode == "unshare")
                File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
            await File.WriteAllTextAsync(note, path, cancellationToken).ConfigureAwait(false);
            return new ChrootFolder(path, mode, note, guard, context.Tools);
        }
        catch
        {
            guard.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Sees to it that nothing of an interrupted mmdebstrap goes on. As root it mounts /proc, /sys and /dev below the folder in the host's own view,
    /// and would leave them there: so it gets namespaces of its own, which take its mounts and processes along when they end. As a user it makes
    /// such namespaces itself. Either way it is killed at once: asked to end, it first waits for whatever it is doing.
    /// </summary>
    public ToolCommand Contain(ToolCommand command) => _mode != "root"
        ? command with { Abrupt = true }
        : command with
        {
            Program = "unshare",
            Arguments =
            [
                "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
                RuntimeTools.FindProgram(command.Program) ?? throw HostPackages.MissingTool(command.Program), .. command.Arguments,
            ],
            Abrupt = true,
        };

    public async ValueTask DisposeAsync()
    {
        try
        {
            await RemoveAsync(Path, _mode, _tools).ConfigureAwait(false);
            File.Delete(_note);
        }
        finally
        {
            _guard.Dispose();
        }
    }

    private static async Task RemoveAsync(string path, string mode, Tools tools)
    {
        if (!Directory.Exists(path))
            return;
        if (mode == "unshare")
        {
            // What is in it belongs to this user's subordinate users: only as root of their namespace can it be removed.
            await tools.RunAsync(
                new ToolCommand { Program = "unshare", Arguments = [.. BootstrapMode.AsMappedRoot, "rm", "--recursive", "--force", "--one-file-system", path], Recorded = false },
                CancellationToken.None).ConfigureAwait(false);
        }
        else
        {
            HostFiles.DeleteFolder(path);
        }
    }
}

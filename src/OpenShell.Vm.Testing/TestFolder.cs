using System.Security.Cryptography;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Testing;

/// <summary>
/// A private folder for all that one cluster writes, and its path is short, since there are sockets in it. It is locked (flock) by the process that made it: one whose lock can be had is of a process that was killed, and is removed by
/// the next.
/// </summary>
internal sealed class TestFolder : IDisposable
{
    private const string Prefix = "ovc-";
    private const string LockName = "lock";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Below it a socket's path has some 70 bytes more, and it may have 103.</summary>
    private const int LongestParent = 30;

    private readonly FileStream _lock;

    private TestFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>Makes one.</summary>
    /// <param name="temporary">Where; <see langword="null"/>: in the temporary directory, or in <c>/tmp</c> where that has a long path.</param>
    public static TestFolder Create(string? temporary = null)
    {
        var parent = temporary ?? Parent;
        while (true)
        {
            var path = System.IO.Path.Combine(parent, Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
            try
            {
                Directory.CreateDirectory(path, Private);
                return new TestFolder(path, Lock(path));
            }
            catch (UnauthorizedAccessException e)
            {
                throw new FaultException(new Fault { Code = "testing.folder-not-writable", What = $"{path} cannot be made: {e.Message}", Remedy = "Point TMPDIR to a folder that is yours, with a short path." }, e);
            }
            catch (IOException) when (Directory.Exists(path))
            {
                // Its name was taken, or a sweep looked at it just then and has it locked. The next one is another.
            }
        }
    }

    /// <summary>The library's folders in it; images are the user's, since building them takes minutes.</summary>
    public HostDirectories Directories => DirectoriesOf(Path);

    /// <summary>Removes what killed processes left: their machines have ended with them, or are ended now.</summary>
    public static async Task SweepAsync(string? temporary = null, CancellationToken cancellationToken = default)
    {
        foreach (var path in Directory.EnumerateDirectories(temporary ?? Parent, Prefix + "*"))
        {
            if (TryLock(path) is not { } held)
                continue;
            using (held)
            {
                var instances = new LocalInstances(new InstancesOptions { Directories = DirectoriesOf(path) });
                foreach (var instance in await instances.ListAsync(cancellationToken).ConfigureAwait(false))
                    await instances.StopAsync(instance.Name, force: true, cancellationToken).ConfigureAwait(false);
                Directory.Delete(path, recursive: true);
            }
        }
    }

    /// <summary>Removes it with all that is in it.</summary>
    public void Dispose()
    {
        using (_lock)
        {
            if (Directory.Exists(Path))
                Directory.Delete(Path, recursive: true);
        }
    }

    private static string Parent => System.IO.Path.GetTempPath() is { Length: <= LongestParent } temporary ? temporary : "/tmp";

    private static HostDirectories DirectoriesOf(string path) => new()
    {
        Cache = HostDirectories.FromEnvironment().Cache,
        Data = System.IO.Path.Combine(path, "data"),
        OpenShellConfig = System.IO.Path.Combine(path, "config"),
        Runtime = System.IO.Path.Combine(path, "run"),
        Kube = System.IO.Path.Combine(path, "kube"),
    };

    // FileShare.None is an exclusive flock(2), which ends with its process: https://learn.microsoft.com/dotnet/api/system.io.fileshare
    private static FileStream Lock(string path) => new(System.IO.Path.Combine(path, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);

    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(path, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Held, another user's, or not locked yet.
            return null;
        }
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Debian;

/// <summary>
/// Serves exactly the packages of a lock to mmdebstrap, over HTTP on the loopback: what is installed is what was resolved, without network.
/// HTTP and not <c>file:</c>, since mmdebstrap, run by an ordinary user, reads as a user who cannot enter that user's home. The repository is
/// unsigned (<c>trusted=yes</c>): every file was checked against the signed lists when it was fetched, and the socket is ours.
/// </summary>
internal sealed class PinnedRepository : IAsyncDisposable
{
    private const string Extension = ".deb"; // apt names what it fetches by the extension it had

    private readonly HttpListener _listener;
    private readonly IReadOnlyDictionary<string, byte[]> _indexes;
    private readonly PackageStore _store;
    private readonly Dictionary<string, PinnedPackage> _packages;
    private readonly Task _serving;
    private int _served;

    private PinnedRepository(HttpListener listener, string address, IReadOnlyDictionary<string, byte[]> indexes, PackageLock locked, PackageStore store)
    {
        _listener = listener;
        _indexes = indexes;
        _store = store;
        _packages = locked.Packages.ToDictionary(p => p.Sha256, StringComparer.Ordinal);
        Address = address;
        _serving = ServeAsync();
    }

    /// <summary>Such as <c>http://127.0.0.1:43211/</c>.</summary>
    public string Address { get; }

    /// <summary>How many packages were asked for so far.</summary>
    public int Served => Volatile.Read(ref _served);

    /// <summary>Starts serving; all packages of the lock must have been fetched.</summary>
    public static async Task<PinnedRepository> StartAsync(PackageLock locked, PackageStore store, Tools tools, CancellationToken cancellationToken)
    {
        var index = await IndexAsync(locked, store, tools, cancellationToken).ConfigureAwait(false);
        var release = Release(locked.Suite, locked.ResolvedAt, index);
        var indexes = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["Packages"] = index, ["Release"] = release };

        // HttpListener cannot choose a free port itself; another process may take it in between, so there are a few attempts.
        for (var attempt = 1; ; attempt++)
        {
            var address = $"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}/";
            var listener = new HttpListener { Prefixes = { address } };
            try
            {
                listener.Start();
                return new PinnedRepository(listener, address, indexes, locked, store);
            }
            catch (HttpListenerException) when (attempt < 5)
            {
                listener.Close();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The package list: each package's own control fields, with where it is and what it must hash to.</summary>
    private static async Task<byte[]> IndexAsync(PackageLock locked, PackageStore store, Tools tools, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        foreach (var package in locked.Packages)
        {
            var control = await tools.RunAsync(new ToolCommand { Program = "dpkg-deb", Arguments = ["--field", store.PathOf(package)], Recorded = false }, cancellationToken).ConfigureAwait(false);
            text.Append(control.TrimEnd('\n')).Append('\n')
                .Append(CultureInfo.InvariantCulture, $"Filename: ./{package.Sha256}{Extension}\nSize: {package.Size}\nSHA256: {package.Sha256}\n\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // mmdebstrap takes the essential packages of the suite by the release's code name, so there must be one.
    private static byte[] Release(string suite, DateTimeOffset at, byte[] index) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"Origin: openshell-vm\nSuite: {suite}\nCodename: {suite}\nDate: {at.UtcDateTime:ddd, dd MMM yyyy HH:mm:ss} UTC\nSHA256:\n {Convert.ToHexStringLower(SHA256.HashData(index))} {index.Length} Packages\n"));

    private async Task ServeAsync()
    {
        while (true)
        {
            var context = await _listener.GetContextAsync().ConfigureAwait(false);
            _ = AnswerAsync(context);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var response = context.Response;
        try
        {
            var name = context.Request.Url!.AbsolutePath.Split('/')[^1];
            if (_indexes.TryGetValue(name, out var index))
            {
                response.ContentLength64 = index.Length;
                await response.OutputStream.WriteAsync(index).ConfigureAwait(false);
            }
            else if (_packages.TryGetValue(Path.GetFileNameWithoutExtension(name), out var package))
            {
                await using var file = File.OpenRead(_store.PathOf(package));
                response.ContentLength64 = file.Length;
                await file.CopyToAsync(response.OutputStream).ConfigureAwait(false);
                Interlocked.Increment(ref _served);
            }
            else
            {
                response.StatusCode = (int)HttpStatusCode.NotFound;
            }
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
        {
            // The client went away; apt asks again if it still wants it.
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}

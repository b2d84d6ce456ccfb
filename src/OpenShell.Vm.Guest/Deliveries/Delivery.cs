using System.Formats.Tar;
using System.Text.Json;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Deliveries;

/// <summary>
/// What the user gives along (<see cref="DeliveryIndex"/>), read of its disk from the first byte to the last and once: small files at once, into memory; the archives of images, which come
/// last and may be large, when there is a disk to put them on.
/// </summary>
internal sealed class Delivery : IDisposable
{
    private const string ImagePrefix = "images/";
    private readonly Stream? _disk;
    private readonly TarReader? _tar;
    private TarEntry? _next;

    private Delivery(DeliveryIndex index, Stream? disk = null, TarReader? tar = null)
    {
        Index = index;
        _disk = disk;
        _tar = tar;
    }

    /// <summary>No disk.</summary>
    public static Delivery Without(GuestProxy? proxy) => new(new DeliveryIndex()) { Proxy = proxy };

    /// <summary>What there is.</summary>
    public DeliveryIndex Index { get; }

    /// <summary>The proxies on the way to the world.</summary>
    public GuestProxy? Proxy { get; private init; }

    /// <summary>The folder of the small files, at their entries' names.</summary>
    public string Folder { get; private init; } = GuestPaths.Run + "/delivery";

    /// <summary>Finds the disk and reads it up to the archives.</summary>
    /// <exception cref="GuestFaultException">There is no such disk, or it is not what the host says.</exception>
    public static async Task<Delivery> OpenAsync(GuestProxy? proxy, CancellationToken cancellationToken)
    {
        var device = BlockDevices.WaitFor(GuestPaths.DeliverySerial, BlockDevices.Patience)
            ?? throw Broken($"there is no disk with the serial number {GuestPaths.DeliverySerial}; there are: {BlockDevices.Describe()}");
        return await ReadAsync(new OnceStream(File.OpenRead(device)), GuestPaths.Run + "/delivery", cancellationToken, proxy).ConfigureAwait(false);
    }

    /// <summary>Reads up to the archives.</summary>
    /// <exception cref="GuestFaultException">It is not what the host says.</exception>
    public static async Task<Delivery> ReadAsync(Stream disk, string folder, CancellationToken cancellationToken, GuestProxy? proxy = null)
    {
        var tar = new TarReader(disk);
        try
        {
            if (await tar.GetNextEntryAsync(false, cancellationToken).ConfigureAwait(false) is not { Name: DeliveryIndex.EntryName, DataStream: { } first })
                throw Broken("it does not begin with its table of contents");
            var index = await JsonSerializer.DeserializeAsync(first, ProtocolJson.Default.DeliveryIndex, cancellationToken).ConfigureAwait(false) ?? throw Broken("its table of contents is empty");
            var delivery = new Delivery(index, disk, tar) { Folder = folder, Proxy = proxy };
            while (await tar.GetNextEntryAsync(false, cancellationToken).ConfigureAwait(false) is { } entry)
            {
                if (entry.Name.StartsWith(ImagePrefix, StringComparison.Ordinal))
                {
                    delivery._next = entry;
                    break;
                }

                var path = Path.GetFullPath(Path.Combine(folder, entry.Name));
                if (!path.StartsWith(folder + "/", StringComparison.Ordinal))
                    throw Broken($"the entry {entry.Name} leads out of its folder");
                Mounter.MakeFolders(Path.GetDirectoryName(path)!);
                await CopyAsync(entry, path, cancellationToken).ConfigureAwait(false);
            }

            return delivery;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or JsonException)
        {
            throw Broken(e.Message);
        }
    }

    /// <summary>Where a small file is.</summary>
    public string PathOf(string entry) => Path.Combine(Folder, entry);

    /// <summary>Goes through the archives of images in their order; can be done once.</summary>
    /// <param name="take">Where to put one; <see langword="null"/>: it is not needed.</param>
    /// <param name="taken">Called when one is there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="GuestFaultException">The disk cannot be read to its end.</exception>
    public async Task ReadImagesAsync(Func<DeliveredFile, string?> take, Func<DeliveredFile, string, Task> taken, CancellationToken cancellationToken)
    {
        try
        {
            for (; _next is { } entry; _next = await _tar!.GetNextEntryAsync(false, cancellationToken).ConfigureAwait(false))
            {
                var file = Index.Images.FirstOrDefault(i => i.Entry == entry.Name) ?? throw Broken($"its table of contents does not name {entry.Name}");
                if (take(file) is not { } target)
                    continue;
                await CopyAsync(entry, target, cancellationToken).ConfigureAwait(false);
                await taken(file, target).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw Broken(e.Message);
        }
    }

    /// <summary>Lets go of the disk.</summary>
    public void Dispose()
    {
        _tar?.Dispose();
        _disk?.Dispose();
    }

    private static async Task CopyAsync(TarEntry entry, string path, CancellationToken cancellationToken)
    {
        await using var target = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        if (entry.DataStream is { } content)
            await content.CopyToAsync(target, 1 << 20, cancellationToken).ConfigureAwait(false);
    }

    private static GuestFaultException Broken(string why) =>
        new("guest.delivery", $"what was given along cannot be read: {why}.", "Start it again; delivery.tar in the instance's folder is made anew when it is removed.");

    /// <summary>A device has no length that .NET could see, so it must not try to jump about in it.</summary>
    private sealed class OnceStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.ReadAsync(buffer, offset, count, cancellationToken);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}

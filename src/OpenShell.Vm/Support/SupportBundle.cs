using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Support.Redaction;

namespace OpenShell.Vm.Support;

/// <summary>Writes a support bundle: a tar.gz that its owner alone can read, there whole or not at all. What cannot be read is left out and named; it keeps nothing else from being in it.</summary>
/// <param name="redactor">Takes the secrets out.</param>
/// <param name="time">The clock.</param>
public sealed class SupportBundle(Redactor redactor, TimeProvider time)
{
    /// <summary>Of a longer file, the end: what went wrong stands there.</summary>
    public const int MostBytes = 4 << 20;

    private const string Readme = """
        This was put together by 'gateway support-bundle', for somebody who is to find out what went wrong.

        Taken out, and replaced by "[redacted]": private keys, tokens, passwords, credentials of proxies and registries, and the
        values of the environment of programs. Disks, memory images and key files are not in it. What is: names of this machine,
        its user and folders, addresses and ports, and what programs wrote to their logs. Look through it before you give it away.

        contents.txt lists every file, where it is from, and what could not be had.

        """;

    /// <summary>Says so if a bundle of that name cannot be made, before anything is done for it.</summary>
    /// <exception cref="FaultException"><c>support.exists</c>, <c>support.no-folder</c>.</exception>
    public static void CheckTarget(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Path.Exists(path) || new FileInfo(path).LinkTarget is not null)
            throw Exists(path);
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw new FaultException(new Fault { Code = "support.no-folder", What = $"There is no folder {Path.GetDirectoryName(path)}.", Remedy = "Make it first, or name another file with -o." });
    }

    /// <summary>Writes it.</summary>
    /// <param name="path">Absolute path of the file, which must not be there.</param>
    /// <param name="items">What goes into it.</param>
    /// <param name="problems">What could not even be looked for.</param>
    /// <param name="cancellationToken">Gives up; no file is left.</param>
    /// <exception cref="FaultException">The file is there, or cannot be written.</exception>
    public async Task<IReadOnlyList<SupportEntry>> WriteAsync(string path, IReadOnlyList<SupportItem> items, IReadOnlyList<string> problems, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(items);
        CheckTarget(path);
        var aside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            List<SupportEntry> entries;
            await using (var file = new FileStream(aside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = AtomicFile.OwnerOnly }))
            {
                await using var zip = new GZipStream(file, CompressionLevel.Optimal);
                await using var tar = new TarWriter(zip, TarEntryFormat.Pax);
                entries = await FillAsync(tar, Path.GetFileName(path).Split('.')[0], items, problems, cancellationToken).ConfigureAwait(false);
            }

            File.Move(aside, path, overwrite: false);
            return entries;
        }
        catch (IOException) when (Path.Exists(path))
        {
            // Somebody has put one there meanwhile.
            throw Exists(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SystemFaults.Translate(e) is { } fault
                ? new FaultException(fault, e)
                : new FaultException(new Fault { Code = "support.not-written", What = $"{path} cannot be written: {e.Message}", Remedy = "Name a file in another folder with -o." }, e);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private async Task<List<SupportEntry>> FillAsync(TarWriter tar, string folder, IReadOnlyList<SupportItem> items, IReadOnlyList<string> problems, CancellationToken cancellationToken)
    {
        var entries = new List<SupportEntry>();
        await AddAsync(tar, folder, "README.txt", Readme, cancellationToken).ConfigureAwait(false);
        foreach (var item in items)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var from = item is HostFileItem { Path: var path } ? path : "put together";
            try
            {
                var (raw, cut) = Read(item);
                var text = redactor.Redact(raw, cut is null ? item.Content : item.Content == SupportContent.JsonLines ? SupportContent.JsonLines : SupportContent.Text);
                var bytes = await AddAsync(tar, folder, item.Name, text, cancellationToken).ConfigureAwait(false);
                entries.Add(new SupportEntry(item.Name, from, bytes, Count(text), cut));
            }
            catch (Exception e) when (item is HostFileItem && e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                entries.Add(new SupportEntry(item.Name, from, 0, 0, e.Message.TrimEnd('.')));
            }
        }

        await AddAsync(tar, folder, "contents.txt", redactor.Redact(Contents(entries, problems), SupportContent.Text), cancellationToken).ConfigureAwait(false);
        return entries;
    }

    private static (string Text, string? Cut) Read(SupportItem item)
    {
        if (item is TextItem { Text: var text })
            return (text, null);
        var (bytes, skipped) = RegularFile.ReadTail(((HostFileItem)item).Path, MostBytes);

        // From the next whole line on.
        var start = skipped == 0 ? 0 : bytes.AsSpan().IndexOf((byte)'\n') + 1;
        return (Encoding.UTF8.GetString(bytes.AsSpan(start)), skipped == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"its first {skipped + start} bytes are left out"));
    }

    private async Task<long> AddAsync(TarWriter tar, string folder, string name, string text, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        await tar.WriteEntryAsync(
            new PaxTarEntry(TarEntryType.RegularFile, $"{folder}/{name}") { DataStream = new MemoryStream(bytes), Mode = AtomicFile.OwnerOnly, ModificationTime = time.GetUtcNow() },
            cancellationToken).ConfigureAwait(false);
        return bytes.Length;
    }

    private static string Contents(IReadOnlyList<SupportEntry> entries, IReadOnlyList<string> problems)
    {
        var text = new StringBuilder();
        foreach (var e in entries)
            text.Append(CultureInfo.InvariantCulture, $"{e.Name} ({e.Bytes} bytes, {e.From}{(e.Redactions > 0 ? $", redacted {e.Redactions} times" : "")}){(e.Problem is null ? "" : ": " + e.Problem)}\n");
        foreach (var problem in problems)
            text.Append("not there: ").Append(problem).Append('\n');
        return text.ToString();
    }

    private static int Count(string text)
    {
        var count = 0;
        for (var at = text.IndexOf(Redactor.Mark, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Redactor.Mark, at + 1, StringComparison.Ordinal))
            count++;
        return count;
    }

    private static FaultException Exists(string path) => new(new Fault { Code = "support.exists", What = $"{path} is there already; nothing was written.", Remedy = "Name another file with -o, or remove that one first.", IsUsage = true });
}

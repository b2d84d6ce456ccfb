using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Downloads;

/// <summary>A file to fetch.</summary>
/// <param name="Title">For messages: <c>k3s v1.34.2+k3s1</c>.</param>
/// <param name="Address">From where.</param>
/// <param name="Sha256">What it must be, lower-case hexadecimal.</param>
/// <param name="Remedy">What to do where it cannot be had.</param>
internal sealed record Download(string Title, Uri Address, string Sha256, string Remedy)
{
    /// <summary>How many bytes it must have, where that is known: a file that does not end is given up there.</summary>
    public long? Size { get; init; }
}

/// <summary>
/// Fetches files over HTTP into the cache. What was begun goes on where it stopped (RFC 9110, section 14), also in the next run; what does not have the promised
/// SHA-256 is never used.
/// </summary>
/// <param name="layout">The cache.</param>
/// <param name="stall">How long no byte may come before a connection is given up.</param>
/// <param name="transport">What requests go through, such as one that says who asks; stays the caller's.</param>
internal sealed class Downloader(CacheLayout layout, TimeSpan? stall = null, HttpMessageHandler? transport = null)
{
    // A connection that breaks is made anew; a place that does not answer at all is not asked for ever.
    private const int Attempts = 4;
    private const int BufferSize = 1 << 17;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private readonly TimeSpan _stall = stall ?? TimeSpan.FromSeconds(30);

    /// <summary>Fetches a file that is not there yet.</summary>
    /// <param name="download">What.</param>
    /// <param name="onProgress">Bytes done, of bytes in all where that is known.</param>
    /// <param name="cancellationToken">Ends it; what has come stays for the next time.</param>
    /// <returns>Its path in the cache.</returns>
    /// <exception cref="FaultException">It cannot be had.</exception>
    public async Task<string> FetchAsync(Download download, Action<long, long?>? onProgress = null, CancellationToken cancellationToken = default)
    {
        var target = layout.Package(download.Sha256);
        if (File.Exists(target))
            return target;
        Directory.CreateDirectory(layout.Packages);
        using var guard = await Guard.EnterAsync(layout.Guard("download-" + download.Sha256), static _ => { }, cancellationToken).ConfigureAwait(false);
        if (File.Exists(target))
            return target;
        var partial = target + ".partial";
        var resumed = File.Exists(partial);
        await CompleteAsync(download, partial, onProgress, cancellationToken).ConfigureAwait(false);
        if (await HostFiles.Sha256Async(partial, cancellationToken).ConfigureAwait(false) != download.Sha256 && resumed)
        {
            // What was begun may have been of another file at the same address: once more, from its first byte.
            File.Delete(partial);
            await CompleteAsync(download, partial, onProgress, cancellationToken).ConfigureAwait(false);
        }

        if (await HostFiles.Sha256Async(partial, cancellationToken).ConfigureAwait(false) is var got && got != download.Sha256)
        {
            File.Delete(partial);
            throw ImageFaults.Make(
                "image.download-checksum",
                $"{download.Title} from {download.Address} has the SHA-256 {got}, not {download.Sha256}; it was thrown away.",
                "Something between here and there changes files, or the file there is another: compare both hashes with those on the release page. " + download.Remedy);
        }

        HostFiles.SyncFile(partial);
        File.Move(partial, target);
        return target;
    }

    private async Task CompleteAsync(Download download, string partial, Action<long, long?>? onProgress, CancellationToken cancellationToken)
    {
        using var http = transport is null ? new HttpClient() : new HttpClient(transport, disposeHandler: false);
        http.Timeout = Timeout.InfiniteTimeSpan;
        for (var attempt = 1; ; attempt++)
        {
            var before = Length(partial);
            try
            {
                await AppendAsync(http, download, partial, onProgress, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException or IOException or TimeoutException && e is not HttpRequestException { StatusCode: not null })
            {
                // Whoever gets on is not at the end of the attempts.
                if (Length(partial) > before)
                    attempt = 1;
                else if (attempt >= Attempts || (e is HttpRequestException && before == 0))
                    throw Explain(download, e, Length(partial));
            }

            await Task.Delay(Pause * attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task AppendAsync(HttpClient http, Download download, string partial, Action<long, long?>? onProgress, CancellationToken cancellationToken)
    {
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stalled.CancelAfter(_stall);
        try
        {
            var begun = Length(partial);
            using var request = new HttpRequestMessage(HttpMethod.Get, download.Address);
            if (begun > 0)
                request.Headers.Range = new RangeHeaderValue(begun, null);
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stalled.Token).WaitAsync(stalled.Token).ConfigureAwait(false);

            // There is nothing after what has come already; whether that is the file, its hash tells.
            if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && begun > 0)
                return;
            if (!answer.IsSuccessStatusCode)
                throw Refused(download, answer.StatusCode);

            // A server without ranges answers 200 with all of it.
            var goesOn = answer.StatusCode == HttpStatusCode.PartialContent && answer.Content.Headers.ContentRange?.From == begun;
            var total = answer.Content.Headers.ContentLength + (goesOn ? begun : 0);
            await using var file = new FileStream(partial, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
            await using var body = await answer.Content.ReadAsStreamAsync(stalled.Token).ConfigureAwait(false);
            var buffer = new byte[BufferSize];
            var done = file.Position;
            while (await body.ReadAsync(buffer, stalled.Token).ConfigureAwait(false) is > 0 and var read)
            {
                if (done + read > download.Size)
                    throw TooLong(download, file);
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                done += read;
                stalled.CancelAfter(_stall);
                onProgress?.Invoke(done, total);
            }

            // .NET notices a body that ends early; a proxy that closes in order and promised no length does not get past the hash.
            if (total is { } promised && done < promised)
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{done} of {promised} bytes came"));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"no byte came for {_stall.TotalSeconds:0.#} s"));
        }
    }

    // Whatever is in it, it is not what was promised, and going on with it would not make it so.
    private static FaultException TooLong(Download download, FileStream partial)
    {
        File.Delete(partial.Name);
        return ImageFaults.Make(
            "image.download-checksum",
            string.Create(CultureInfo.InvariantCulture, $"{download.Title} from {download.Address} has more than the {download.Size} bytes that it should; it was thrown away."),
            "Something between here and there changes files, or the file there is another. " + download.Remedy);
    }

    private static FaultException Refused(Download download, HttpStatusCode status) => ImageFaults.Make(
        status == HttpStatusCode.NotFound ? "image.download-missing" : "image.download-refused",
        string.Create(CultureInfo.InvariantCulture, $"{download.Title} cannot be had: {download.Address} answers {(int)status} ({status})."),
        download.Remedy);

    private static FaultException Explain(Download download, Exception e, long begun)
    {
        var (code, how) = e switch
        {
            TimeoutException => ("image.download-stalled", "stands still"),
            HttpRequestException when begun == 0 => ("image.download-offline", "cannot be begun"),
            _ => ("image.download-truncated", "breaks off again and again"),
        };
        var kept = begun == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" What has come ({begun} bytes) is kept, and the next attempt goes on there.");
        return ImageFaults.Make(code, $"The download of {download.Title} from {download.Address} {how}: {e.Message.TrimEnd('.')}.{kept}", download.Remedy, cause: e);
    }

    private static long Length(string file) => new FileInfo(file) is { Exists: true } there ? there.Length : 0;
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using OpenShell.Vm.Boot.Tests.Conformance;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>What the cluster has acknowledged: objects that its API server took, and files that a pod has synced in its volume. Whatever stands here must be there, as it is here, for ever.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, string> _objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _files = new(StringComparer.Ordinal);
    private int _count;
    private int _counted;
    private string _said = "";

    /// <summary>How much was acknowledged.</summary>
    public (int Objects, int Files) Count => (_objects.Count, _files.Count);

    /// <summary>How much is missing, or not as it was acknowledged; each with what is wrong.</summary>
    public async Task<IReadOnlyList<string>> LossesAsync(MatrixCluster cluster)
    {
        var losses = new List<string>();
        var objects = (await cluster.Api.GetAsync($"/api/v1/namespaces/{MatrixCluster.Space}/configmaps")).Items().ToDictionary(item => item.Text("metadata.name")!, item => item.Text("data.value"));
        losses.AddRange(_objects.Where(o => objects.GetValueOrDefault(o.Key) != o.Value).Select(o => $"object {o.Key} is {objects.GetValueOrDefault(o.Key) ?? "missing"} instead of {o.Value}"));
        var counter = int.Parse(objects.GetValueOrDefault("counter") ?? "0", CultureInfo.InvariantCulture);
        if (counter < _counted)
            losses.Add($"the counter is {counter}, and was acknowledged as {_counted}");

        var sums = (await cluster.InPodAsync("cd /data && for f in f-*; do [ ! -e $f ] || sha256sum $f; done")).OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split("  ")).Where(words => words.Length == 2).ToDictionary(words => words[1], words => words[0]);
        losses.AddRange(_files.Where(f => sums.GetValueOrDefault(f.Key) != f.Value).Select(f => $"file {f.Key} is {sums.GetValueOrDefault(f.Key) ?? "missing"} instead of {f.Value}"));
        return losses;
    }

    /// <summary>Writes objects and files until it is cancelled or nobody takes them any more.</summary>
    public async Task WriteAsync(MatrixCluster cluster, CancellationToken until) => await Task.WhenAll(WriteObjectsAsync(cluster, until), WriteFilesAsync(cluster, until));

    private async Task WriteObjectsAsync(MatrixCluster cluster, CancellationToken until)
    {
        var path = $"/api/v1/namespaces/{MatrixCluster.Space}/configmaps";
        while (!until.IsCancellationRequested)
        {
            var (name, value) = ($"o-{Interlocked.Increment(ref _count)}", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(500)));
            if (await SentAsync(HttpMethod.Post, path, $$$"""{"metadata":{"name":"{{{name}}}"},"data":{"value":"{{{value}}}"}}"""))
                _objects[name] = value;
            var next = _counted + 1;
            if (await SentAsync(HttpMethod.Patch, path + "/counter", $$$"""{"data":{"value":"{{{next}}}"}}"""))
                _counted = next;
        }

        async Task<bool> SentAsync(HttpMethod method, string where, string body)
        {
            try
            {
                var answer = await cluster.Api.SendAsync(method, where, body, method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json").WaitAsync(until);
                if ((int)answer.Status is >= 200 and < 300)
                    return true;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
            {
                // It was killed. What it has not acknowledged may be there or not.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
            return false;
        }
    }

    /// <summary>A pod's script says the name and the sum of each file after its fsync; what has arrived here, with the end of its line, is acknowledged.</summary>
    private async Task WriteFilesAsync(MatrixCluster cluster, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            var prefix = $"f-{Interlocked.Increment(ref _count)}";
            // One whose connection is cut off writes on for a while, beside the next: each has files of its own.
            using var writer = cluster.Kubectl.In(MatrixCluster.Space).Start("exec", "writer-0", "--", "sh", "-c", $$"""
                i=0
                while [ $i -lt 200 ]; do
                  i=$((i + 1)); f={{prefix}}-$i
                  head -c $((RANDOM * 4 + 1)) /dev/urandom > /data/n-{{prefix}}
                  s=$(sha256sum < /data/n-{{prefix}})
                  dd if=/data/n-{{prefix}} of=/data/$f bs=64k conv=fsync 2>/dev/null && echo "$f ${s%% *}."
                done
                """);
            await using var kill = until.Register(() => Kill(writer));
            var errors = writer.StandardError.ReadToEndAsync(CancellationToken.None);
            while (await writer.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
            {
                if (line.EndsWith('.') && line.Split(' ') is [var name, var sum])
                    _files[name] = sum.TrimEnd('.');
            }

            _said = await errors;
            await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        }
    }

    private static void Kill(System.Diagnostics.Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Nothing of before counts any more: the instance is another.</summary>
    public void Clear()
    {
        _objects.Clear();
        _files.Clear();
        _counted = 0;
    }

    /// <summary>Waits until this much more was acknowledged.</summary>
    public async Task GrowsAsync(int objects, int files)
    {
        var before = Count;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (Count.Objects < before.Objects + objects || Count.Files < before.Files + files)
        {
            clock.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(6), $"{objects} objects and {files} files more than {before} are acknowledged; there are {Count}; the writer of files said last: {_said}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}

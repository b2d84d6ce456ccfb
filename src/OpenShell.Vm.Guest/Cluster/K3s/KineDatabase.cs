using System.Globalization;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>
/// The database of a k3s with one server: a SQLite file with one table, <c>kine</c>, in which every change is a row (https://github.com/k3s-io/kine,
/// pkg/drivers/sqlite). It is looked at before k3s opens it: k3s would try to open a damaged one for ever.
/// </summary>
/// <param name="path">The file; <c>-wal</c> and <c>-shm</c> belong to it (https://www.sqlite.org/wal.html).</param>
/// <param name="tool">Runs sqlite3.</param>
/// <param name="time">Dates what is set aside.</param>
/// <param name="sqlite">The sqlite3 program; without it only the file's header is looked at.</param>
internal sealed class KineDatabase(string path, Tool tool, TimeProvider time, string sqlite = "/usr/bin/sqlite3")
{
    // https://www.sqlite.org/rescode.html: CORRUPT and NOTADB, which the program returns as its exit code.
    private const int Corrupt = 11, NotADatabase = 26;

    // A whole check of a database of some hundred megabytes, emulated.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // What the statement after it writes, the program itself moves into the file when it ends: it is the only one that has it open.
    private const string WriteLog = "PRAGMA wal_checkpoint(TRUNCATE);";

    private static readonly string[] Parts = ["", "-wal", "-shm"];

    /// <summary>
    /// The lock that a server takes while it writes the cluster's certificates into the database: a key below /bootstrap with an empty value, that the next
    /// start waits for after the power went away in that moment (pkg/cluster/storage.go of k3s). A key with a value is the certificates themselves, and stays.
    /// </summary>
    public const string ClearLock =
        """
        DELETE FROM kine WHERE name LIKE '/bootstrap/%' AND name IN (
          SELECT name FROM kine AS newest WHERE length(coalesce(newest.value, '')) = 0 AND newest.id = (SELECT max(id) FROM kine AS row WHERE row.name = newest.name));
        """;

    /// <summary>Sets a damaged database aside, clears what is left of a start that was cut off, and writes the log into the file.</summary>
    /// <returns>What a person should know; <see langword="null"/>: nothing.</returns>
    public async Task<string?> MakeUsableAsync()
    {
        if (!File.Exists(path))
            return null;
        if (await WhyUnusableAsync().ConfigureAwait(false) is { } why)
            return $"the cluster's database was damaged ({why}) and is kept as {SetAside()}; the cluster begins anew, from its manifests";
        if (!File.Exists(sqlite))
            return null;
        var tidied = await tool.RunAsync("sqlite3", Patience, sqlite, "-batch", path, WriteLog, ClearLock).ConfigureAwait(false);
        // Nothing to clear where there is no table yet.
        return tidied.IsSuccess || tidied.Output.Contains("no such table", StringComparison.Ordinal) ? null : $"the cluster's database could not be tidied up: {tidied}";
    }

    private async Task<string?> WhyUnusableAsync()
    {
        if (!HasHeader())
            return "it does not begin as a SQLite file does";
        if (!File.Exists(sqlite))
            return null;
        var check = await tool.RunAsync("sqlite3", Patience, sqlite, "-batch", path, "PRAGMA quick_check(1);").ConfigureAwait(false);
        // A program that could not be started, or ran out of memory, says nothing about the file: a good database must not be thrown out for it.
        return check.Code is Corrupt or NotADatabase || (check.IsSuccess && check.Output.Trim() != "ok")
            ? check.Output.Trim().ReplaceLineEndings(", ") is { Length: > 0 } said ? said : "quick_check failed"
            : null;
    }

    /// <summary>https://www.sqlite.org/fileformat.html#the_database_header; a file of no bytes is a database that was never written.</summary>
    private bool HasHeader()
    {
        using var file = File.OpenHandle(path);
        Span<byte> start = stackalloc byte[16];
        return RandomAccess.GetLength(file) == 0 || (RandomAccess.Read(file, start, 0) == start.Length && start.SequenceEqual("SQLite format 3\0"u8));
    }

    private string SetAside()
    {
        var dated = $"{path}.corrupt-{time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
        var target = dated;
        for (var number = 2; Parts.Any(p => File.Exists(target + p)); number++)
            target = $"{dated}-{number}";
        foreach (var part in Parts.Where(p => File.Exists(path + p)))
            File.Move(path + part, target + part);
        return target;
    }
}

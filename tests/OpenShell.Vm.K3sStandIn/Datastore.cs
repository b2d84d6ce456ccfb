using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.K3sStandIn;

/// <summary>
/// <c>server/db/state.db</c>: a synthetic file with the table and indexes of kine (https://github.com/k3s-io/kine, pkg/drivers/sqlite/sqlite.go) and one row that says
/// what it is. The cluster's data are in etcd, which begins empty where this file is missing, as k3s would.
/// </summary>
internal sealed class Datastore(Layout layout, Tool tool)
{
    private const string Sql =
        """
        PRAGMA journal_mode=WAL;
        CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER, deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB);
        CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name);
        CREATE UNIQUE INDEX IF NOT EXISTS kine_name_prev_revision_uindex ON kine (name, prev_revision);
        INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value) VALUES ('/stand-in', 1, 0, 0, 0, 0, 'a synthetic file of the stand-in: the data are in etcd');
        """;

    /// <summary>Makes it, or refuses one that SQLite could not open.</summary>
    /// <returns>Why it cannot be; <see langword="null"/>: it can.</returns>
    public async Task<string?> OpenAsync()
    {
        if (File.Exists(layout.Database))
        {
            var start = new byte[16];
            using var file = File.OpenHandle(layout.Database);
            return RandomAccess.Read(file, start, 0) == start.Length && start.AsSpan().SequenceEqual("SQLite format 3\0"u8) ? null : "failed to setup db: file is not a database";
        }

        if (Directory.Exists(layout.Etcd))
            Directory.Delete(layout.Etcd, recursive: true);
        Directory.CreateDirectory(Path.GetDirectoryName(layout.Database)!);
        var made = await tool.RunAsync("sqlite3", TimeSpan.FromMinutes(1), "/usr/bin/sqlite3", layout.Database, Sql).ConfigureAwait(false);
        return made.IsSuccess ? null : made.ToString();
    }
}

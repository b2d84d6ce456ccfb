using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Tests.Cluster.K3s;

/// <summary>
/// The databases here are synthetic: SQLite files with the table and indexes that kine makes (https://github.com/k3s-io/kine, pkg/drivers/sqlite/sqlite.go),
/// written by the sqlite3 program. No k3s has ever seen them.
/// </summary>
public sealed class KineDatabaseTests : IDisposable
{
    private const string Schema =
        """
        CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER, deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB);
        CREATE INDEX kine_name_index ON kine (name);
        CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision);
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);

    private string Database => _folder.File("state.db");

    public void Dispose()
    {
        _reaper.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_good_database_stays_as_it_is()
    {
        Make(Row("/registry/namespaces/default", "'x'"));

        (await Kine().MakeUsableAsync()).ShouldBeNull();

        Ask("SELECT count(*) FROM kine").ShouldBe("1");
        Directory.GetFiles(_folder.Path, "state.db*").ShouldBe([Database]);
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_there_is_none_there_is_nothing_to_do() => (await Kine().MakeUsableAsync()).ShouldBeNull();

    [Fact(Timeout = 60_000)]
    public async Task One_that_was_never_written_is_no_damage()
    {
        await File.WriteAllBytesAsync(Database, [], TestContext.Current.CancellationToken);

        (await Kine().MakeUsableAsync()).ShouldBeNull();

        File.Exists(Database).ShouldBeTrue();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_bad_header_sets_it_aside_with_its_log_and_says_so()
    {
        Make(Row("/registry/a", "'x'"));
        Overwrite(0, 16);
        var damaged = await File.ReadAllBytesAsync(Database, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Database + "-wal", "log", TestContext.Current.CancellationToken);

        var said = await Kine().MakeUsableAsync();

        said.ShouldNotBeNull().ShouldContain(Database + ".corrupt-20300102-030405");
        File.Exists(Database).ShouldBeFalse();
        File.Exists(Database + "-wal").ShouldBeFalse();
        (await File.ReadAllBytesAsync(Database + ".corrupt-20300102-030405", TestContext.Current.CancellationToken)).ShouldBe(damaged);
        (await File.ReadAllTextAsync(Database + ".corrupt-20300102-030405-wal", TestContext.Current.CancellationToken)).ShouldBe("log");
    }

    [Fact(Timeout = 60_000)]
    public async Task Damage_behind_a_good_header_is_found_by_sqlite_itself()
    {
        Make(string.Concat(Enumerable.Range(0, 2000).Select(n => Row($"/registry/{n}", "zeroblob(200)"))));
        Overwrite(4096, 64 * 1024);

        (await Kine().MakeUsableAsync()).ShouldNotBeNull().ShouldContain("damaged");

        File.Exists(Database).ShouldBeFalse();
        Directory.GetFiles(_folder.Path, "state.db.corrupt-*").Length.ShouldBe(1);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_second_damaged_one_does_not_replace_the_first()
    {
        foreach (var content in (string[])["first", "second"])
        {
            await File.WriteAllTextAsync(Database, content + " and no database", TestContext.Current.CancellationToken);
            (await Kine().MakeUsableAsync()).ShouldNotBeNull();
        }

        Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order().ShouldBe(["state.db.corrupt-20300102-030405", "state.db.corrupt-20300102-030405-2"]);
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_the_program_the_header_still_counts()
    {
        Make(Row("/registry/a", "'x'"));
        (await Kine("/nonexistent/sqlite3").MakeUsableAsync()).ShouldBeNull();

        Overwrite(0, 4);
        (await Kine("/nonexistent/sqlite3").MakeUsableAsync()).ShouldNotBeNull();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_program_that_fails_for_itself_condemns_no_database()
    {
        Make(Row("/registry/a", "'x'"));

        (await Kine("/bin/false").MakeUsableAsync()).ShouldNotBeNull().ShouldContain("could not be tidied up");

        File.Exists(Database).ShouldBeTrue();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_lock_of_a_start_that_was_cut_off_is_cleared_and_nothing_else()
    {
        // The second key was locked, and then got its value: the cluster's certificates.
        Make(Row("/bootstrap/aaaa", "''") + Row("/bootstrap/bbbb", "''") + Row("/bootstrap/bbbb", "'sealed'", previous: 2) + Row("/registry/empty", "''"));

        (await Kine().MakeUsableAsync()).ShouldBeNull();

        Ask("SELECT group_concat(name || ':' || value, ' ') FROM kine").ShouldBe("/bootstrap/bbbb: /bootstrap/bbbb:sealed /registry/empty:");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_power_loss_left_in_the_log_is_written_into_the_file()
    {
        Make(Row("/registry/a", "'x'"));
        LeaveLog(Row("/registry/b", "'y'"));
        File.Exists(Database + "-wal").ShouldBeTrue();

        (await Kine().MakeUsableAsync()).ShouldBeNull();

        File.Exists(Database + "-wal").ShouldBeFalse();
        Ask("SELECT count(*) FROM kine").ShouldBe("2");
    }

    private static string Row(string name, string value, int previous = 0) =>
        $"INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value) VALUES ('{name}', 1, 0, 0, {previous}, 0, {value});\n";

    private KineDatabase Kine(string sqlite = "/usr/bin/sqlite3") =>
        new(Database, new Tool(new ProcessLauncher(_reaper), _folder.File("tools")), new Then(), sqlite);

    private void Make(string rows)
    {
        var script = _folder.File("script.sql");
        File.WriteAllText(script, $"PRAGMA journal_mode=WAL;\n{Schema}\nBEGIN;\n{rows}COMMIT;\n");
        Command.Run("sqlite3", "-batch", Database, ".read " + script).Code.ShouldBe(0);
        File.Delete(script);
    }

    // Copied while the program that wrote it still has it open: what a machine finds that lost its power.
    private void LeaveLog(string rows)
    {
        var work = _folder.File("work.db");
        File.Move(Database, work);
        Command.Run("sqlite3", "-batch", work, "PRAGMA wal_autocheckpoint=0;", rows, $".shell cp {work} {Database} && cp {work}-wal {Database}-wal").Code.ShouldBe(0);
        File.Delete(work);
    }

    private string Ask(string query) => Command.Run("sqlite3", "-batch", Database, query).Output.Trim();

    private void Overwrite(long at, int length)
    {
        using var file = File.OpenWrite(Database);
        file.Seek(at, SeekOrigin.Begin);
        file.Write(Enumerable.Range(0, length).Select(n => (byte)(n * 7)).ToArray());
    }

    private sealed class Then : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    }
}

using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.KillMatrix;

/// <summary>
/// A power cut that can be repeated: QEMU is started with a log of what it writes to the state disk's file, below the qcow2 format, and afterwards the disk is made anew from what it was before and
/// what was flushed.
/// </summary>
internal sealed class PowerCut
{
    private readonly string _disk;
    private readonly string _before;
    private readonly string _log;
    private readonly string _programs;
    private readonly TestHome _home;

    /// <param name="home">In it, beside everything else, the log.</param>
    /// <param name="disk">The state disk; not there yet, when the start is the first.</param>
    public PowerCut(TestHome home, string disk)
    {
        (_home, _disk) = (home, disk);
        var folder = Directory.CreateDirectory(Path.Combine(home.Root, "power")).FullName;
        _before = Path.Combine(folder, "before.qcow2");
        _log = Path.Combine(folder, "writes.log");
        _programs = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
    }

    /// <summary>The environment in which the next start has its writes logged.</summary>
    public async Task<IReadOnlyDictionary<string, string?>> PrepareAsync()
    {
        if (File.Exists(_disk))
            (await HostProgram.RunAsync("cp", ["--sparse=always", "--reflink=auto", _disk, _before], TimeSpan.FromMinutes(5))).OrFail();
        else
            File.Delete(_before);
        File.Delete(_log);
        using (var log = new FileStream(_log, FileMode.CreateNew))
            log.SetLength(32L << 30);

        var path = Environment.GetEnvironmentVariable("PATH")!;
        var qemu = path.Split(':').Select(folder => Path.Combine(folder, "qemu-system-x86_64")).First(File.Exists);
        var program = Path.Combine(_programs, "qemu-system-x86_64");
        await File.WriteAllTextAsync(program, $$"""
            #!/bin/bash
            # QEMU, but for a log of what is written to the file of the state disk.
            words=()
            for word in "$@"; do
                [[ $word != driver=qcow2,*state.qcow2* ]] ||
                    word=${word/file.driver=file,file.filename=/file.driver=blklogwrites,file.log.driver=file,file.log.filename={{_log}},file.file.driver=file,file.file.discard=unmap,file.file.filename=}
                words+=("$word")
            done
            exec {{qemu}} "${words[@]}"

            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new Dictionary<string, string?>(_home.Environment) { ["PATH"] = $"{_programs}:{path}" };
    }

    /// <summary>After everything was killed: what is on the disk.</summary>
    /// <param name="survives">What is there although it was not flushed; none: nothing.</param>
    /// <returns>How many writes there were, and how many of them were flushed.</returns>
    public (int Writes, int Flushed) Happen(Func<bool>? survives)
    {
        var log = WriteLog.Read(_log);
        if (File.Exists(_before))
            File.Move(_before, _disk, overwrite: true);
        else
            using (File.Create(_disk))
                File.SetUnixFileMode(_disk, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        log.Replay(_disk, survives);
        File.Delete(_log);
        return (log.Writes, log.Flushed);
    }
}

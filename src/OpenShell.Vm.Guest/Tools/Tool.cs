using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Tools;

/// <summary>
/// Runs the few programs of the root image that the boot itself needs (mke2fs, nft, ctr, ...) to their end. Their output goes to a file, which costs
/// nothing while they run and is only read when one fails.
/// </summary>
/// <param name="launcher">Starts them.</param>
/// <param name="folder">Where their output goes.</param>
internal sealed class Tool(ProcessLauncher launcher, string folder = Tool.Folder)
{
    private const string Folder = GuestPaths.Run + "/tools";

    // Enough for the sentence that matters, which programs print last.
    private const int MessageLength = 600;

    /// <summary>What every program that PID 1 starts has in its environment.</summary>
    public static IReadOnlyList<string> Environment { get; } = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"];

    /// <summary>Runs one; kills it when <paramref name="patience"/> is over.</summary>
    /// <param name="name">The name of its output's file.</param>
    /// <param name="patience">How long it may take: generous, for emulated processors.</param>
    /// <param name="command">The program and its arguments.</param>
    public Task<ToolResult> RunAsync(string name, TimeSpan patience, params string[] command) => RunAsync(name, patience, MessageLength, command);

    /// <summary>Runs one whose output matters.</summary>
    /// <param name="name">The name of its output's file.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="output">How many characters of the end of its output are wanted.</param>
    /// <param name="command">The program and its arguments.</param>
    public async Task<ToolResult> RunAsync(string name, TimeSpan patience, int output, IReadOnlyList<string> command)
    {
        var log = $"{folder}/{name}.log";
        Mounts.Mounter.MakeFolders(folder);
        File.Delete(log);
        var child = launcher.Start(new SpawnSpec
        {
            Program = command[0],
            Arguments = [.. command.Skip(1)],
            Environment = Environment,
            Stdout = Stdio.AppendTo(log),
            Stderr = Stdio.AppendTo(log),
        });
        var inTime = await Task.WhenAny(child.Exit, Task.Delay(patience)).ConfigureAwait(false) == child.Exit;
        if (!inTime)
            child.SignalGroup(Native.Linux.SignalKill);
        var status = await child.Exit.ConfigureAwait(false);
        return new ToolResult(command[0], inTime ? status : null, LastWords(log, output));
    }

    /// <summary>
    /// Deletes a folder with all that is in it. rm(1) works on descriptors: no link is followed, not even one that is put there meanwhile, and no path is too long.
    /// What is mounted below it stays.
    /// </summary>
    /// <exception cref="IOException">Something of it is left.</exception>
    public async Task RemoveAsync(string folder)
    {
        var result = await RunAsync("rm", TimeSpan.FromMinutes(10), "/bin/rm", "-rf", "--one-file-system", "--", folder).ConfigureAwait(false);
        if (!result.IsSuccess)
            throw new IOException($"{folder} could not be deleted: {result}.");
    }

    private static string LastWords(string file, int length)
    {
        var text = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        return text.Length <= length ? text : text[^length..];
    }
}

/// <summary>How a tool ended.</summary>
/// <param name="Program">Its path.</param>
/// <param name="Status">Its exit; <see langword="null"/> when it was killed for taking too long.</param>
/// <param name="Output">The end of what it printed.</param>
internal sealed record ToolResult(string Program, ExitStatus? Status, string Output)
{
    /// <summary>Whether it ended with 0.</summary>
    public bool IsSuccess => Status is { IsSuccess: true };

    /// <summary>Its exit code, or -1.</summary>
    public int Code => Status is { Signal: 0 } status ? status.Code : -1;

    /// <inheritdoc/>
    public override string ToString() => $"{Path.GetFileName(Program)} ended with {(Status is { } status ? status.ToString() : "a timeout")}: {Output}";
}

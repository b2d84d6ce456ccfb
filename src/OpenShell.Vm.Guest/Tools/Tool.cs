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
    public async Task<ToolResult> RunAsync(string name, TimeSpan patience, params string[] command)
    {
        var output = $"{folder}/{name}.log";
        Mounts.Mounter.MakeFolders(folder);
        File.Delete(output);
        var child = launcher.Start(new SpawnSpec
        {
            Program = command[0],
            Arguments = command[1..],
            Environment = Environment,
            Stdout = Stdio.AppendTo(output),
            Stderr = Stdio.AppendTo(output),
        });
        var inTime = await Task.WhenAny(child.Exit, Task.Delay(patience)).ConfigureAwait(false) == child.Exit;
        if (!inTime)
            child.SignalGroup(Native.Linux.SignalKill);
        var status = await child.Exit.ConfigureAwait(false);
        return new ToolResult(command[0], inTime ? status : null, LastWords(output));
    }

    private static string LastWords(string file)
    {
        var text = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        return text.Length <= MessageLength ? text : text[^MessageLength..];
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

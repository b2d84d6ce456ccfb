namespace OpenShell.Vm.Boot.Tests.Damage;

/// <summary>A file that takes the room of a file system.</summary>
internal static class Ballast
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>To the last byte that it takes.</summary>
    public static async Task FillAsync(string path)
    {
        await using var file = Open(path);
        for (var block = new byte[1 << 20]; block.Length > 0;)
        {
            try
            {
                await file.WriteAsync(block, Cancellation);
            }
            catch (IOException)
            {
                block = new byte[block.Length / 16];
            }
        }
    }

    /// <summary>To the last but so many, or a few more.</summary>
    public static async Task LeaveAsync(string path, long bytes)
    {
        await using var file = Open(path);
        var block = new byte[1 << 20];
        for (var room = new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace - bytes; room >= block.Length; room -= block.Length)
            await file.WriteAsync(block, Cancellation);
    }

    private static FileStream Open(string path) => new(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
}

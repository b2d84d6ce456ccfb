namespace OpenShell.Vm.Tests.Guests;

internal static class Processes
{
    /// <summary>Waits until a process of this machine is gone, or only a zombie that its adoptive parent has yet to notice.</summary>
    public static async Task ShouldEndAsync(int pid)
    {
        while (IsAlive(pid))
            await Task.Delay(5, TestContext.Current.CancellationToken);
    }

    private static bool IsAlive(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}

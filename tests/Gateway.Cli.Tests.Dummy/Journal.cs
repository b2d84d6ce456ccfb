namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>What happened, a line each, readable by the test while it goes on.</summary>
internal sealed class Journal(string? path)
{
    private readonly Lock _gate = new();

    public void Write(string line)
    {
        if (path is null)
            return;
        lock (_gate)
            File.AppendAllText(path, line + "\n");
    }
}

namespace OpenShell.Vm.Planning;

/// <summary>Times KVM by running a loop of real guest code under it.</summary>
public static class KvmProbe
{
    /// <summary>The body of the child process: prints one line of JSON to stdout; returns the exit code.</summary>
    public static int RunInThisProcess() => throw new NotSupportedException();
}

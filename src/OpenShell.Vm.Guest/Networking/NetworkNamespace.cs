using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>Work in another network than the machine's own: that of a pod.</summary>
internal static class NetworkNamespace
{
    /// <summary>Has something done there, and waits for it: on a thread of its own, since a thread that has gone there stays there until it ends.</summary>
    /// <param name="path">The file that stands for it (https://man7.org/linux/man-pages/man7/network_namespaces.7.html).</param>
    /// <param name="work">What is done; sockets that it makes are of that network.</param>
    /// <exception cref="IOException">There is none any more, or we may not.</exception>
    public static T Run<T>(string path, Func<T> work)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter(path);
                result = work();
            }
#pragma warning disable CA1031 // Thrown again by who waits: here it would end the process, which is PID 1.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = exception;
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw new IOException($"{path}: {failure.Message}", failure);
    }

    private static void Enter(string path)
    {
        var descriptor = Linux.Open(path, Linux.OpenReadOnly | Linux.OpenCloseOnExec, 0);
        if (descriptor < 0)
            throw new IOException(Errno.LastText);
        var entered = Linux.EnterNamespace(descriptor, Linux.NamespaceOfNetwork);
        var why = entered == 0 ? null : Errno.LastText;
        _ = Linux.Close(descriptor);
        if (why is not null)
            throw new IOException(why);
    }
}

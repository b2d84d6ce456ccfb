using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using OpenShell.Vm.Guest.Cluster;

namespace OpenShell.Vm.Guest.ApiFront;

/// <summary>This program as the API front: a process of its own, which PID 1 starts and keeps. Configured by nothing but <see cref="ClusterLayout"/>.</summary>
internal static class FrontRole
{
    /// <summary>The argument that makes this program the front.</summary>
    public const string Argument = "api-front";

    /// <summary>Serves until SIGTERM.</summary>
    /// <returns>The exit code.</returns>
    public static int Run()
    {
        using var end = new CancellationTokenSource();
        using var files = new FrontFiles(ClusterLayout.FrontOwn, ClusterLayout.FrontCluster, Say);
        var server = new FrontServer(new IPEndPoint(IPAddress.Loopback, ClusterLayout.ApiPort), files, new FrontLimits(), Say);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            server.Look();
        });
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            end.Cancel();
        });
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, ClusterLayout.FrontPort));
        listener.Listen();
        server.RunAsync(listener, end.Token).GetAwaiter().GetResult();
        return 0;
    }

    private static void Say(string text) => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {text}"));
}

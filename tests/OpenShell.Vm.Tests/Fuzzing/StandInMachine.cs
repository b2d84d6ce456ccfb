using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>A machine without a machine: a process that does nothing, for which this one speaks as much of QMP as a supervisor asks for.</summary>
internal sealed class StandInMachine
{
    private readonly Socket _socket;
    private string _status = "running";

    private StandInMachine(Socket socket, ProcessIdentity? process)
    {
        (_socket, Process) = (socket, process);
        _ = Task.Run(ServeAsync);
    }

    /// <summary>The program in QEMU's place; it goes by itself should nobody end it.</summary>
    public const string Program = "#!/bin/sh\nexec sleep 600\n";

    /// <summary>The process that is there for it.</summary>
    public ProcessIdentity? Process { get; }

    /// <summary>The next machine that a supervisor powers on; <see langword="null"/>: it powers none on any more.</summary>
    public static async Task<StandInMachine?> NextAsync(Supervisor supervisor, InstanceFiles files, StandInMachine? before = null)
    {
        while (!supervisor.Completion.IsCompleted)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(files.QmpSocket), TestContext.Current.CancellationToken);

                // Which is told a moment later.
                ProcessIdentity? process;
                while (((process = supervisor.Status.Processes.GetValueOrDefault(Roles.Vmm)) is null || process == before?.Process) && !supervisor.Completion.IsCompleted)
                    await Task.Delay(1, TestContext.Current.CancellationToken);
                return new StandInMachine(socket, process);
            }
            catch (SocketException)
            {
                socket.Dispose();
                await Task.Delay(1, TestContext.Current.CancellationToken);
            }
        }

        return null;
    }

    /// <summary>The guest powers the machine off.</summary>
    public void PowerOff()
    {
        Say(new JsonObject { ["event"] = "SHUTDOWN", ["data"] = new JsonObject { ["guest"] = true, ["reason"] = "guest-shutdown" } });
        End();
    }

    /// <summary>The machine is gone.</summary>
    public void End()
    {
        if (Process is not null)
            ProcessIdentities.Signal(Process, Signals.Kill);
        _socket.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            Say(new JsonObject { ["QMP"] = new JsonObject() });
            using var reader = new StreamReader(new NetworkStream(_socket));
            while (await reader.ReadLineAsync() is { } line)
                Answer(JsonNode.Parse(line)!.AsObject());
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // One of the two is gone.
        }
    }

    private void Answer(JsonObject command)
    {
        var name = command["execute"]!.GetValue<string>();
        if (name == "migrate")
            File.WriteAllText(command["arguments"]!["uri"]!.GetValue<string>()["file:".Length..], "a machine");
        _status = name switch { "stop" or "migrate-incoming" => "paused", "cont" => "running", _ => _status };
        Say(new JsonObject { ["return"] = new JsonObject { ["status"] = name == "query-migrate" ? "completed" : _status }, ["id"] = command["id"]!.DeepClone() });
        if (name is "stop" or "cont")
            Say(new JsonObject { ["event"] = name == "stop" ? "STOP" : "RESUME" });
        if (name == "quit")
            End();
    }

    private void Say(JsonObject message)
    {
        try
        {
            lock (_socket)
                _socket.Send(Encoding.UTF8.GetBytes(message.ToJsonString() + "\n"));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }
}

using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Boot.Tests.Arm64;

/// <summary>
/// A machine that is talked to over its serial port: what the product's planner and its QEMU arguments make of images, but for two things. The serial port leads here instead
/// of into a file, and the kernel starts busybox instead of openshell-init.
/// </summary>
internal sealed partial class SerialMachine : IAsyncDisposable
{
    /// <summary>For anything that an emulated machine on a busy host says: much more than it takes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process _qemu;
    private readonly Task<Finished> _ended;
    private readonly Socket _serial;
    private readonly StringBuilder _said = new();
    private int _questions;

    private SerialMachine(Process qemu, Socket serial) => (_qemu, _serial, _ended) = (qemu, serial, HostProgram.EndAsync(qemu, TimeSpan.FromMinutes(20)));

    public static async Task<SerialMachine> StartAsync(ImageSet images, TestHome home)
    {
        var token = TestContext.Current.CancellationToken;
        var directories = HostDirectories.FromEnvironment() with { Data = home.Data, Runtime = home.Runtime };
        var host = await new HostProbe(directories, kvmProbeCommand: null).ProbeAsync(null, OtherProcessor.Name, token);
        var config = InstanceDefaults.Fill(
            new InstanceConfig { Name = "plain", Architecture = OtherProcessor.Name, Hypervisor = "qemu", Network = "none", Mode = GuestMode.Exec, Exec = new ExecRequest { Program = "/bin/sh" } }, host);
        var plan = BootPlanner.Plan(config, host, images, InstanceFiles.For(directories, InstanceName.Parse(config.Name)));
        plan = plan with
        {
            KernelArguments = [.. plan.KernelArguments.Select(a => a.StartsWith("init=", StringComparison.Ordinal) ? "init=/bin/busybox" : a), "--", "sh"],
            AgentSocket = Path.Combine(home.Root, "agent"),
            ControlSocket = Path.Combine(home.Root, "qmp"),
        };
        using var control = Listen(plan.ControlSocket);
        var console = Path.Combine(home.Root, "serial");
        using var listener = Listen(console);
        var launch = new QemuHypervisor().Describe(plan, host);
        var arguments = launch.Arguments.Select(a => a.StartsWith("file,id=console,", StringComparison.Ordinal) ? $"socket,id=console,path={console},server=off" : a).ToList();
        arguments.ShouldContain(a => a.StartsWith("socket,id=console,", StringComparison.Ordinal));

        var qemu = HostProgram.Start(launch.Program, arguments);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
        limit.CancelAfter(Patience);
        try
        {
            // QEMU connects before it starts the machine, so nothing is missed.
            var machine = new SerialMachine(qemu, await ConnectedAsync(listener, qemu, limit.Token));
            await machine.ReadUntilAsync(Prompt());
            return machine;
        }
        catch
        {
            qemu.Kill();
            throw;
        }
    }

    /// <summary>Types a command at the prompt and returns what it says.</summary>
    public async Task<string> AskAsync(string command)
    {
        // The line that is typed comes back as well; only in the answer do the brackets stand beside something other than a quote.
        var mark = ++_questions;
        _said.Clear();
        await TypeAsync($"echo \"<{mark}:\"\"$({command} 2>&1)\"\":{mark}>\"\n");
        var answer = (await ReadUntilAsync(new Regex($"<{mark}:([^\"][\\s\\S]*?):{mark}>"))).Groups[1].Value;
        await ReadUntilAsync(Prompt());
        return answer.Replace("\r", "", StringComparison.Ordinal).Trim();
    }

    /// <summary>Ends the machine from within; QEMU's exit code.</summary>
    public async Task<int> PowerOffAsync()
    {
        _said.Clear();
        await TypeAsync("poweroff -f\n");
        try
        {
            return (await _ended.WaitAsync(Patience, TestContext.Current.CancellationToken)).ExitCode;
        }
        catch (TimeoutException e)
        {
            var buffer = new byte[1 << 16];
            var read = _serial.Available > 0 ? await _serial.ReceiveAsync(buffer, TestContext.Current.CancellationToken) : 0;
            throw new TimeoutException($"The machine did not power off: {Encoding.UTF8.GetString(buffer, 0, read)}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_qemu.HasExited)
            _qemu.Kill();
        await _qemu.WaitForExitAsync(CancellationToken.None);
        await ((Task)_ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _serial.Dispose();
        _qemu.Dispose();
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(1);
        return socket;
    }

    private static async Task<Socket> ConnectedAsync(Socket listener, Process qemu, CancellationToken cancellationToken)
    {
        var connected = listener.AcceptAsync(cancellationToken).AsTask();
        await Task.WhenAny(connected, qemu.WaitForExitAsync(cancellationToken));
        return connected.IsCompleted ? await connected : throw new InvalidOperationException("QEMU ended at once: " + await qemu.StandardError.ReadToEndAsync(cancellationToken));
    }

    private async Task TypeAsync(string text) => await _serial.SendAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);

    private async Task<Match> ReadUntilAsync(Regex pattern)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        var buffer = new byte[4096];
        Match match;
        while (!(match = pattern.Match(_said.ToString())).Success)
        {
            int read;
            try
            {
                read = await _serial.ReceiveAsync(buffer, limit.Token);
            }
            catch (OperationCanceledException e) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"The machine did not say {pattern}, but: {_said}", e);
            }

            if (read == 0)
                throw new EndOfStreamException($"The machine ended before it said {pattern}: {_said}");
            _said.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return match;
    }

    // busybox's shell in the root folder, as root. It may go on to ask the terminal where the cursor is, and need not be answered.
    [GeneratedRegex("/ # (\\x1b\\[6n)?$")]
    private static partial Regex Prompt();
}

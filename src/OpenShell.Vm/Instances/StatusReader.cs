using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Instances;

/// <summary>
/// Reads what <see cref="InstanceJson"/> wrote of a status. By hand, since most commands begin with it: the generated reader instantiates generic code over each type of value, which cannot be
/// compiled ahead of time outside of its own library, and some 600 methods are then compiled at each <c>gateway status</c>, for half of its time. A test holds that both read the same.
/// </summary>
internal static class StatusReader
{
    /// <summary>A status; <see langword="null"/>: the file says <c>null</c>.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static InstanceStatus? Status(byte[] content) => Read(content, root => new InstanceStatus
    {
        Name = root.Required("name").Text(),
        Phase = Phase(root.Required("phase")),
        Endpoint = root.TextOf("endpoint"),
        ApiServer = root.TextOf("apiServer"),
        Kubeconfig = root.TextOf("kubeconfig"),
        Hypervisor = root.TextOf("hypervisor"),
        Accelerator = root.TextOf("accelerator"),
        Distribution = root.TextOf("distribution"),
        DistributionVersion = root.TextOf("distributionVersion"),
        Bundle = root.TextOf("bundle"),
        CloneOf = root.TextOf("cloneOf"),
        Vcpus = root.Find("vcpus") is { } vcpus ? vcpus.GetInt32() : null,
        MemoryMib = root.Find("memoryMib") is { } memory ? memory.GetInt32() : null,
        Processes = root.Find("processes") is { } processes ? Processes(processes) : new Dictionary<string, ProcessIdentity>(),
        Ports = root.ListOf("ports", Port),
        Mounts = root.ListOf("mounts", Mount),
        Disks = root.ListOf("disks", Disk),
        Restarts = root.Find("restarts") is { } restarts ? restarts.GetInt32() : 0,
        StartedAt = root.Find("startedAt") is { } started ? started.GetDateTimeOffset() : null,
        ReadyAt = root.Find("readyAt") is { } ready ? ready.GetDateTimeOffset() : null,
        Stages = root.ListOf("stages", Stage),
        Fault = root.Find("fault") is { } fault ? FaultOf(fault) : null,
    });

    /// <summary>Who holds a lock; <see langword="null"/>: the file says <c>null</c>.</summary>
    /// <exception cref="JsonException">It says something else.</exception>
    public static LockHolder? Holder(byte[] content) => Read(content, root => new LockHolder(Process(root.Required("process")), root.Required("nonce").GetGuid(), root.TextOf("purpose")));

    private static T? Read<T>(byte[] content, Func<JsonElement, T> read)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            return document.RootElement.ValueKind == JsonValueKind.Null ? null : read(document.RootElement);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or OverflowException)
        {
            throw new JsonException(e.Message, e);
        }
    }

    private static Dictionary<string, ProcessIdentity> Processes(JsonElement element)
    {
        var processes = new Dictionary<string, ProcessIdentity>();
        foreach (var process in element.EnumerateObject())
            processes[process.Name] = Process(process.Value);
        return processes;
    }

    private static ProcessIdentity Process(JsonElement element) => new(element.Required("pid").GetInt32(), element.Required("startTime").GetInt64(), element.TextOf("boot"));

    private static PortForward Port(JsonElement element) => new()
    {
        Protocol = element.Find("protocol") is { } protocol ? Protocol(protocol) : PortProtocol.Tcp,
        HostAddress = element.TextOf("hostAddress")!,
        HostPort = element.Required("hostPort").GetInt32(),
        HostSocket = element.TextOf("hostSocket"),
        GuestPort = element.Required("guestPort").GetInt32(),
    };

    private static HostMount Mount(JsonElement element) => new()
    {
        HostPath = element.Required("hostPath").Text(),
        GuestPath = element.Required("guestPath").Text(),
        ReadOnly = element.Is("readOnly"),
    };

    private static DiskSpace Disk(JsonElement element) => new(
        element.Required("where").Text(),
        element.Required("path").Text(),
        element.Required("totalBytes").GetInt64(),
        element.Required("freeBytes").GetInt64(),
        element.Is("nearlyFull"));

    private static StageTime Stage(JsonElement element) => new(
        element.Required("stage").Text(),
        Seconds(element.Required("start")),
        element.Find("duration") is { } duration ? Seconds(duration) : null,
        State(element.Required("state")),
        element.TextOf("detail"));

    private static Fault FaultOf(JsonElement element) => new()
    {
        Code = element.Required("code").Text(),
        Stage = element.TextOf("stage"),
        What = element.Required("what").Text(),
        Remedy = element.Required("remedy").Text(),
        Log = element.TextOf("log"),
        IsUsage = element.Is("isUsage"),
    };

    private static TimeSpan Seconds(JsonElement element) => TimeSpan.FromSeconds(element.GetDouble());

    private static InstancePhase Phase(JsonElement element) => element.GetString() switch
    {
        nameof(InstancePhase.Stopped) => InstancePhase.Stopped,
        nameof(InstancePhase.Starting) => InstancePhase.Starting,
        nameof(InstancePhase.Ready) => InstancePhase.Ready,
        nameof(InstancePhase.Stopping) => InstancePhase.Stopping,
        nameof(InstancePhase.Failed) => InstancePhase.Failed,
        nameof(InstancePhase.Suspended) => InstancePhase.Suspended,
        nameof(InstancePhase.Paused) => InstancePhase.Paused,
        nameof(InstancePhase.Broken) => InstancePhase.Broken,
        var other => throw Unknown("phase", other),
    };

    private static PortProtocol Protocol(JsonElement element) => element.GetString() switch
    {
        nameof(PortProtocol.Tcp) => PortProtocol.Tcp,
        nameof(PortProtocol.Udp) => PortProtocol.Udp,
        nameof(PortProtocol.Unix) => PortProtocol.Unix,
        var other => throw Unknown("protocol", other),
    };

    private static StageState State(JsonElement element) => element.GetString() switch
    {
        nameof(StageState.Started) => StageState.Started,
        nameof(StageState.Completed) => StageState.Completed,
        nameof(StageState.Skipped) => StageState.Skipped,
        nameof(StageState.Failed) => StageState.Failed,
        var other => throw Unknown("state", other),
    };

    private static JsonException Unknown(string name, string? value) => new(string.Create(CultureInfo.InvariantCulture, $"'{value}' is no {name}"));

    // A property that is null is one that is not there, as the writer leaves it out.
    private static JsonElement? Find(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static JsonElement Required(this JsonElement element, string name) => element.Find(name) ?? throw new JsonException($"'{name}' is missing");

    private static string? TextOf(this JsonElement element, string name) => element.Find(name)?.GetString();

    private static string Text(this JsonElement element) => element.GetString()!;

    private static bool Is(this JsonElement element, string name) => element.Find(name)?.GetBoolean() ?? false;

    private static List<T> ListOf<T>(this JsonElement element, string name, Func<JsonElement, T> read)
        where T : class
    {
        var list = new List<T>();
        if (element.Find(name) is { } values)
        {
            foreach (var value in values.EnumerateArray())
                list.Add(read(value));
        }

        return list;
    }
}

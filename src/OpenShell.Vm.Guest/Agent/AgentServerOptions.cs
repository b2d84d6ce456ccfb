using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>What the agent does where the host does not say otherwise.</summary>
public sealed record AgentServerOptions
{
    /// <summary>The environment of every program that the host starts, <c>KEY=VALUE</c>; the request's own variables win over these. TERM is added with a terminal.</summary>
    public IReadOnlyList<string> Environment { get; init; } = ["PATH=" + ExecutableSearch.DefaultPath, "HOME=/root"];

    /// <summary>Program and version, told to the host.</summary>
    public string? Software { get; init; }

    /// <summary>Further services, each a call: by name, what answers a request.</summary>
    public IReadOnlyDictionary<string, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>>> Calls { get; init; } = new Dictionary<string, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>>>();

    /// <summary>Takes one line about each session that ended and each port that would not open; from any thread.</summary>
    public Action<string>? Log { get; init; }
}

using System.Collections.Concurrent;
using System.Text.Json;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Watching;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>What a guest answers besides programs and files: its real services with their real files in a folder, over a clock, a kernel and a cluster that only remember what they were told.</summary>
internal sealed class WatchedGuest : IResumedCluster
{
    private const long Now = 1_000_000_000_000_000_000;

    private readonly InstanceCredentials _credentials;
    private readonly ResumeService _resume;

    public WatchedGuest(TestFolder folder)
    {
        var names = new ClusterNames { NodeName = "fuzz", NodeAddress = "192.168.127.2", GatewayName = "openshell-vm-fuzz" };
        _credentials = InstanceCredentials.Make(names, DateTimeOffset.UnixEpoch.AddYears(50));
        var places = new CredentialPlaces(folder.File("guest-files"), gatewayGroup: 0);
        Directory.CreateDirectory(places.State);
        Directory.CreateDirectory(Path.GetDirectoryName(places.MachineId)!);
        var machine = new ResumedMachine
        {
            Now = () => Now,
            SetClock = time => Require(time > 0, $"the clock is set to {time}"),
            Reseed = entropy =>
            {
                Require(entropy.Length == ResumeRequest.EntropyLength, $"{entropy.Length} bytes of entropy");
                return [];
            },
            CutConnections = _ => [],
            CutPodConnections = (_, _) => [],
        };
        var hold = new ServiceHold(_ => Task.CompletedTask, TimeProvider.System);
        _resume = new ResumeService(() => this, () => null, machine, new InstanceFiles(places), hold);
        Options = new AgentServerOptions
        {
            Calls = new Dictionary<string, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>>>
            {
                [ServiceNames.HostChanged] = new HostChangeService(() => null, TimeProvider.System, _ => { }).AnswerAsync,
                [ServiceNames.DiskUsage] = DiskUsageService.AnswerAsync,
                [ServiceNames.CertificatesRenew] = new CertificateService(() => null).AnswerAsync,
                [ServiceNames.Resume] = _resume.AnswerAsync,
                [ServiceNames.SnapshotOver] = async (_, _) =>
                {
                    await hold.LetGoAsync();
                    return [];
                },
            },
        };
    }

    /// <summary>For the guest's server.</summary>
    public AgentServerOptions Options { get; }

    /// <summary>What was accepted and never should.</summary>
    public ConcurrentBag<string> Wrong { get; } = [];

    /// <summary>How often the machine became another instance.</summary>
    public int Becomings { get; private set; }

    /// <summary>What a host asks them, rightly.</summary>
    public IEnumerable<(string Service, byte[] Request)> Requests =>
    [
        (ServiceNames.HostChanged, JsonSerializer.SerializeToUtf8Bytes(new HostChange { HostTimeUnixNanoseconds = Now, Network = true }, ProtocolJson.Default.HostChange)),
        (ServiceNames.DiskUsage, []),
        (ServiceNames.CertificatesRenew, JsonSerializer.SerializeToUtf8Bytes(new CertificateRenewal(3600), ProtocolJson.Default.CertificateRenewal)),
        (ServiceNames.Resume, JsonSerializer.SerializeToUtf8Bytes(new ResumeRequest { HostTimeUnixNanoseconds = Now, Entropy = new byte[ResumeRequest.EntropyLength] }, ProtocolJson.Default.ResumeRequest)),
        (ServiceNames.Resume, JsonSerializer.SerializeToUtf8Bytes(
            new ResumeRequest
            {
                HostTimeUnixNanoseconds = Now,
                Entropy = new byte[ResumeRequest.EntropyLength],
                Identity = "fuzz",
                GatewayName = "openshell-vm-fuzz",
                MachineId = new string('a', 32),
                Credentials = _credentials.Pairs.ToDictionary(pair => pair.Key, pair => new CertificatePair(pair.Value.CertificatePem, pair.Value.KeyPem)),
            },
            ProtocolJson.Default.ResumeRequest)),
        (ServiceNames.SnapshotOver, []),
    ];

    /// <summary>What follows behind the last resume.</summary>
    public Task Behind => _resume.Behind;

    string? IResumedCluster.Address => null;

    string? IResumedCluster.Gateway => null;

    bool IResumedCluster.HasFront => true;

    bool IResumedCluster.IsUp => true;

    void IResumedCluster.Become(string identity, string gatewayName, IReadOnlyDictionary<string, KeyPair> credentials)
    {
        Becomings++;
        foreach (var name in new[] { identity, gatewayName })
            Require(name.Length is > 0 and <= 128 && name.All(c => c is > ' ' and < (char)127), $"the name '{name}'");
        Require(credentials.Keys.Order(StringComparer.Ordinal).SequenceEqual(_credentials.Pairs.Keys.Order(StringComparer.Ordinal)), string.Join(", ", credentials.Keys));
    }

    void IResumedCluster.Stir()
    {
    }

    Task IResumedCluster.FollowAsync(IReadOnlyCollection<string> changed, CancellationToken cancellationToken) => Task.CompletedTask;

    private void Require(bool holds, string otherwise)
    {
        if (!holds)
            Wrong.Add(otherwise);
    }
}

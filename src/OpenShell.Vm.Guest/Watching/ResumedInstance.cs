using System.Security.Cryptography;
using System.Text.Json;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>The instance that a resumed machine becomes, as the request says it, checked.</summary>
/// <param name="Identity">Whose the machine is.</param>
/// <param name="GatewayName">The gateway's name.</param>
/// <param name="MachineId">The machine id.</param>
/// <param name="Credentials">Exactly those that this machine needs, by name.</param>
internal sealed record ResumedInstance(string Identity, string GatewayName, string MachineId, IReadOnlyDictionary<string, KeyPair> Credentials)
{
    // A DNS label's length, and what a UUID or a hash needs.
    private const int LongestName = 63, LongestIdentity = 128;

    /// <summary>Reads a request.</summary>
    /// <exception cref="MuxStreamException">It is malformed.</exception>
    public static ResumeRequest Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var request = JsonSerializer.Deserialize(json, ProtocolJson.Default.ResumeRequest) ?? throw Invalid("it is null.");
            return request.Entropy.Length != ResumeRequest.EntropyLength ? throw Invalid($"entropy has {request.Entropy.Length} bytes, not {ResumeRequest.EntropyLength}.")
                : request.HostTimeUnixNanoseconds <= 0 ? throw Invalid("the time is not after 1970.")
                : request;
        }
        catch (JsonException e)
        {
            throw Invalid(e.Message);
        }
    }

    /// <summary>What the machine becomes; <see langword="null"/>: it stays the instance that it is.</summary>
    /// <param name="request">As it came.</param>
    /// <param name="hasFront">Whether there is an API front.</param>
    /// <exception cref="MuxStreamException">Something is missing, malformed or not known.</exception>
    public static ResumedInstance? Of(ResumeRequest request, bool hasFront)
    {
        if (request.Identity is not { } identity)
        {
            return request is { GatewayName: null, MachineId: null, Credentials: null } ? null : throw Invalid("what belongs to an instance is given without an identity.");
        }

        if (!IsName(identity, LongestIdentity))
            throw Invalid("the identity is not 1 to 128 printable characters.");
        if (request.GatewayName is not { } name || !IsName(name, LongestName))
            throw Invalid("the gateway's name is not 1 to 63 printable characters.");
        if (request.MachineId is not { } machineId || !Boot.MachineId.IsValid(machineId))
            throw Invalid("the machine id is not 32 hexadecimal digits.");
        var given = request.Credentials ?? throw Invalid("there are no credentials.");
        if (given.Keys.FirstOrDefault(key => !ClusterCertificates.IsOfInstance(key)) is { } unknown)
            throw Invalid($"'{unknown}' is not the name of a certificate of an instance.");
        var credentials = new Dictionary<string, KeyPair>();
        foreach (var needed in Needed(hasFront))
        {
            if (!given.TryGetValue(needed, out var pair))
                throw Invalid($"'{needed}' is missing.");
            if (!Has(pair.Certificate, "CERTIFICATE") || !Has(pair.Key, "PRIVATE KEY"))
                throw Invalid($"'{needed}' is not a certificate and its key, PEM.");
            credentials.Add(needed, new KeyPair(pair.Certificate, pair.Key));
        }

        return new ResumedInstance(identity, name, machineId, credentials);
    }

    private static IReadOnlyList<string> Needed(bool hasFront) =>
    [
        ClusterCertificates.GatewayCa, ClusterCertificates.GatewayServer, ClusterCertificates.GatewayClient,
        .. hasFront ? [ClusterCertificates.FrontCa, ClusterCertificates.FrontServer, ClusterCertificates.FrontClient] : Array.Empty<string>(),
    ];

    /// <summary>By its frame only: to open six certificates takes longer than everything else, on an emulated processor that has just begun.</summary>
    private static bool Has(string pem, string label) => PemEncoding.TryFind(pem, out var found) && pem[found.Label] == label;

    private static bool IsName(string text, int longest) => text.Length > 0 && text.Length <= longest && text.All(c => c is > ' ' and < (char)127);

    private static MuxStreamException Invalid(string reason) => ServiceJson.Invalid(ServiceNames.Resume, reason);
}

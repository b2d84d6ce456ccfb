using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bootstrap;

/// <summary>What OpenShell's clients need to know of a gateway: <c>gateways/NAME/metadata.json</c>, <c>gateways/NAME/mtls/*</c> and <c>active_gateway</c>.</summary>
public sealed class GatewayRegistration
{
    /// <summary>A clock that is just being kept by a time service; certificates are made with an hour to spare besides.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    private readonly string _folder;
    private readonly string _active;

    /// <summary>The registration of an instance's gateway.</summary>
    public GatewayRegistration(HostDirectories directories, string instance)
    {
        ArgumentNullException.ThrowIfNull(directories);
        Name = NameFor(instance);
        _folder = Path.Combine(directories.OpenShellConfig, "gateways", Name);
        _active = Path.Combine(directories.OpenShellConfig, "active_gateway");
    }

    /// <summary>The gateway's name among those that the clients know.</summary>
    public string Name { get; }

    /// <summary>What is in <see cref="MtlsFolder"/>, in the order of <see cref="GatewayCertificates"/>.</summary>
    internal static readonly string[] MtlsNames = ["ca.crt", "tls.crt", "tls.key"];

    /// <summary>Where the client's certificates are: <c>ca.crt</c>, <c>tls.crt</c>, <c>tls.key</c>.</summary>
    public string MtlsFolder => Path.Combine(_folder, "mtls");

    /// <summary>Where all of it is.</summary>
    internal string Folder => _folder;

    /// <summary>Whether there is one that <see cref="Remove"/> would remove.</summary>
    internal bool IsThere => File.Exists(MetadataFile) && IsOurs();

    private string MetadataFile => Path.Combine(_folder, "metadata.json");

    /// <summary>The name of an instance's gateway: as the original has it.</summary>
    public static string NameFor(string instance) => "openshell-vm-" + instance;

    /// <summary>Writes everything; the certificates first, so that a client never finds a gateway without them.</summary>
    internal void Write(int port, GatewayCertificates certificates)
    {
        PrivateFolder.Create(MtlsFolder);
        AtomicFile.Write(Path.Combine(MtlsFolder, MtlsNames[0]), certificates.Ca);
        AtomicFile.Write(Path.Combine(MtlsFolder, MtlsNames[1]), certificates.Certificate);
        AtomicFile.Write(Path.Combine(MtlsFolder, MtlsNames[2]), certificates.Key);
        var metadata = new GatewayMetadata
        {
            Name = Name,
            GatewayEndpoint = $"https://127.0.0.1:{port}",
            IsRemote = false,
            GatewayPort = port,
        };
        AtomicFile.WriteJson(MetadataFile, metadata, GatewayJson.Default.GatewayMetadata);
    }

    /// <summary>
    /// Says so when this machine's clock is before the certificates that the instance's guest has made: it was set back, and neither the guest, which takes its time from here, nor any client
    /// would take them for valid.
    /// </summary>
    /// <exception cref="FaultException"><c>host.clock-behind</c>.</exception>
    internal void RequireClock(DateTimeOffset now)
    {
        foreach (var path in (string[])[Path.Combine(MtlsFolder, MtlsNames[0]), Path.Combine(MtlsFolder, MtlsNames[1])])
        {
            if (!File.Exists(path) || ValidFrom(path) is not { } from || now >= from - ClockTolerance)
                continue;
            throw new FaultException(new Fault
            {
                Code = "host.clock-behind",
                What = string.Create(CultureInfo.InvariantCulture, $"This machine's clock says {now.UtcDateTime:yyyy-MM-dd HH:mm} UTC, and {path}, which the instance made, is valid from {from:yyyy-MM-dd HH:mm} UTC on: the clock was set back."),
                Remedy = "Set the clock ('sudo timedatectl set-ntp true', or 'sudo date --set'), then start again. Nothing was changed.",
            });
        }
    }

    private static DateTime? ValidFrom(string path)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            return certificate.NotBefore.ToUniversalTime();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            // The start writes it anew.
            return null;
        }
    }

    /// <summary>Makes it the one that clients use when none is named.</summary>
    internal void Activate() => AtomicFile.Write(_active, Encoding.UTF8.GetBytes(Name));

    /// <summary>Removes what <see cref="Write"/> and <see cref="Activate"/> wrote; leaves a gateway of that name alone that is somewhere else.</summary>
    internal void Remove()
    {
        if (!IsThere)
            return;
        Directory.Delete(_folder, recursive: true);
        if (File.Exists(_active) && File.ReadAllText(_active).Trim() == Name)
            File.Delete(_active);
    }

    private bool IsOurs()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(MetadataFile), GatewayJson.Default.GatewayMetadata) is { IsRemote: false } metadata
                && metadata.Name == Name
                && metadata.GatewayEndpoint.StartsWith("https://127.0.0.1:", StringComparison.Ordinal);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

/// <summary>What a client of the gateway needs, as PEM.</summary>
/// <param name="Ca">The authority of the gateway's certificate.</param>
/// <param name="Certificate">The client's certificate.</param>
/// <param name="Key">Its key.</param>
internal sealed record GatewayCertificates(byte[] Ca, byte[] Certificate, byte[] Key)
{
    /// <summary>Reads all of it, before any of it is written for clients.</summary>
    /// <exception cref="FaultException">They are not what they should be (<c>bootstrap.certificates-invalid</c>).</exception>
    public void Check()
    {
        try
        {
            OpenAuthority().Dispose();
            OpenClient().Dispose();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FaultException(
                new Fault { Code = "bootstrap.certificates-invalid", Stage = BootStages.Bootstrap, What = $"The gateway's certificates, which the guest made, cannot be read: {GuestReply.Text(e.Message)}", Remedy = "Build the image anew: 'gateway image build'." },
                e);
        }
    }

    /// <summary>The authority, to be disposed of by the caller.</summary>
    public X509Certificate2 OpenAuthority() => X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(Ca));

    /// <summary>The client's certificate with its key, to be disposed of by the caller.</summary>
    public X509Certificate2 OpenClient() => X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(Certificate), Encoding.ASCII.GetString(Key));
}

/// <summary>The schema of <c>metadata.json</c> as far as a local gateway uses it; without <c>auth_mode</c> the clients use mTLS.</summary>
internal sealed record GatewayMetadata
{
    public required string Name { get; init; }

    public required string GatewayEndpoint { get; init; }

    public required bool IsRemote { get; init; }

    public required int GatewayPort { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(GatewayMetadata))]
internal sealed partial class GatewayJson : JsonSerializerContext;

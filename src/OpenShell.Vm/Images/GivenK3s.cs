using System.Buffers.Binary;
using System.Collections.Concurrent;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Images;

/// <summary>A k3s program that the user has brought.</summary>
/// <param name="Binary">Its absolute path.</param>
/// <param name="Sha256">Of the program.</param>
/// <param name="Images">The air-gap archive that lies beside it under its release's name, if one does.</param>
/// <param name="ImagesSha256">Of the archive.</param>
internal sealed record GivenK3s(string Binary, string Sha256, string? Images, string? ImagesSha256)
{
    // ELF, https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html: e_machine at 0x12.
    private const int HeaderLength = 0x14, MachineAt = 0x12;
    private const ushort X64 = 62, Arm64 = 183;

    private static readonly string[] Endings = [".tar.zst", ".tar"];

    private static readonly ConcurrentDictionary<(string Path, FileStamp Stamp), string> Hashes = new();

    /// <summary>Looks at it.</summary>
    /// <param name="path">Absolute path.</param>
    /// <param name="architecture">Debian's name of the guest's processor.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="FaultException">It is not there, no program, or for another processor.</exception>
    public static async Task<GivenK3s> ReadAsync(string path, string architecture, CancellationToken cancellationToken)
    {
        if (FaultOf(path, architecture) is { } fault)
            throw new FaultException(fault);
        var images = ImagesBeside(path, architecture);
        return new GivenK3s(
            path,
            await HashAsync(path, cancellationToken).ConfigureAwait(false),
            images,
            images is null ? null : await HashAsync(images, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What is wrong with the one that a configuration names, before anything is made for it.</summary>
    public static IEnumerable<Fault> Faults(InstanceConfig config) =>
        config.K3sBinary is { } binary && FaultOf(binary, config.Architecture ?? Architectures.Host) is { } fault ? [fault] : [];

    /// <summary>What keeps a file from being taken for k3s; <see langword="null"/>: nothing that its first bytes tell.</summary>
    /// <param name="path">Absolute path.</param>
    /// <param name="architecture">Debian's name of the guest's processor.</param>
    public static Fault? FaultOf(string path, string architecture)
    {
        const string Remedy = "Give --k3s-binary the program itself, as its release page has it: not an archive, not a script.";
        if (!File.Exists(path) && !Directory.Exists(path))
            return Wrong("missing", $"There is no file {path}.", "Give --k3s-binary the path of a k3s program, or leave it away.");
        byte[] header;
        try
        {
            header = RegularFile.Read(path, HeaderLength);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return Wrong("not-a-program", $"{path} cannot be taken for k3s: {e.Message}.", Remedy);
        }

        if (header.Length < HeaderLength || !header.AsSpan().StartsWith("\x7f\x45LF\x02\x01"u8))
            return Wrong("not-a-program", $"{path} is not a 64-bit Linux program.", Remedy);
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(MachineAt));
        if (machine != (architecture == Architectures.Arm64 ? Arm64 : X64))
        {
            return Wrong(
                "wrong-architecture",
                $"{path} is a program for {(machine switch { X64 => Architectures.Amd64, Arm64 => Architectures.Arm64, _ => $"another processor (ELF machine {machine})" })}; the machine is {architecture}.",
                $"Take the file of the release that is for {architecture}: {Distributions.K3sRelease.Binary(architecture).Name}.");
        }

        return ImagesBeside(path, architecture) is { } images && RegularFile.WhyNot(images) is { } why
            ? Wrong("images", $"{images}, beside the program of --k3s-binary, cannot be taken: {why}.", "Take it away, or put k3s' air-gap archive there.")
            : null;
    }

    private static string? ImagesBeside(string path, string architecture) =>
        Endings.Select(e => Path.Combine(Path.GetDirectoryName(path)!, $"k3s-airgap-images-{architecture}{e}")).FirstOrDefault(File.Exists);

    private static Fault Wrong(string what, string why, string remedy) => ImageFaults.Usage("image.k3s-" + what, why, remedy);

    private static async Task<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        var key = (path, HostFiles.Stamp(path)!);
        return Hashes.TryGetValue(key, out var known) ? known : Hashes[key] = await HostFiles.Sha256Async(path, cancellationToken).ConfigureAwait(false);
    }
}

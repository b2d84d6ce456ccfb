using System.Buffers.Binary;
using System.Collections.Concurrent;
using OpenShell.Vm.Images.Cache;

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
    /// <exception cref="Faults.FaultException">It is not there, no program, or for another processor.</exception>
    public static async Task<GivenK3s> ReadAsync(string path, string architecture, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            throw ImageFaults.Make("image.k3s-missing", $"There is no file {path}.", "Give --k3s-binary the path of a k3s program, or leave it away.");
        Check(path, architecture);
        var images = Endings.Select(e => Path.Combine(Path.GetDirectoryName(path)!, $"k3s-airgap-images-{architecture}{e}")).FirstOrDefault(File.Exists);
        return new GivenK3s(
            path,
            await HashAsync(path, cancellationToken).ConfigureAwait(false),
            images,
            images is null ? null : await HashAsync(images, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Whether a file is a program for a processor.</summary>
    /// <exception cref="Faults.FaultException">It is not.</exception>
    public static void Check(string path, string architecture)
    {
        using var file = File.OpenHandle(path);
        Span<byte> header = stackalloc byte[HeaderLength];
        if (RandomAccess.Read(file, header, 0) < HeaderLength || !header.StartsWith("\x7f\x45LF\x02\x01"u8))
            throw ImageFaults.Make("image.k3s-not-a-program", $"{path} is not a 64-bit Linux program.", "Give --k3s-binary the program itself, as its release page has it: not an archive, not a script.");
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(header[MachineAt..]);
        if (machine != (architecture == Architectures.Arm64 ? Arm64 : X64))
        {
            throw ImageFaults.Make(
                "image.k3s-wrong-architecture",
                $"{path} is a program for {(machine switch { X64 => Architectures.Amd64, Arm64 => Architectures.Arm64, _ => $"another processor (ELF machine {machine})" })}; the machine is {architecture}.",
                $"Take the file of the release that is for {architecture}: {Distributions.K3sRelease.Binary(architecture).Name}.");
        }
    }

    private static async Task<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        var key = (path, HostFiles.Stamp(path)!);
        return Hashes.TryGetValue(key, out var known) ? known : Hashes[key] = await HostFiles.Sha256Async(path, cancellationToken).ConfigureAwait(false);
    }
}

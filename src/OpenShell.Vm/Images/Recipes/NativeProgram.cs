using System.Text;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>Compiles one of this project's programs natively for the guest, and finds the libraries that it is loaded with.</summary>
internal static class NativeProgram
{
    /// <summary>What every build reads besides a project's own folder.</summary>
    public static readonly IReadOnlyList<string> BuildFiles = ["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "nuget.config", "NuGet.config"];

    // Where Debian puts libraries, in the loader's order (https://man7.org/linux/man-pages/man8/ld.so.8.html).
    public static readonly IReadOnlyList<string> LibraryFolders = ["lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib", "usr/lib"];

    /// <summary>Publishes a project and keeps its program only; returns its size.</summary>
    public static async Task<long> BuildAsync(BuildContext context, string project, IReadOnlyList<string> sources, string program, CancellationToken cancellationToken)
    {
        var published = context.Scratch("publish");
        await DotNet.PublishNativeAsync(context, project, sources, published, cancellationToken).ConfigureAwait(false);
        File.Move(Path.Combine(published, program), context.Output(program));
        return new FileInfo(context.Output(program)).Length;
    }

    /// <summary>The loader and the libraries that programs need, at the paths where the loader looks, taken from the guest's Debian so that they match what else runs there.</summary>
    /// <param name="root">The guest's Debian.</param>
    /// <param name="programs">The programs' contents.</param>
    /// <param name="opened">Names of libraries that a program opens at run time.</param>
    public static IReadOnlyList<ImageFile> Libraries(TarIndex root, IEnumerable<byte[]> programs, IEnumerable<string> opened)
    {
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var pending = new Queue<string>(opened.Select(Find));
        foreach (var program in programs)
            Need(program);
        while (pending.TryDequeue(out var path))
        {
            if (found.ContainsKey(path))
                continue;
            found[path] = root.Read(path);
            Need(found[path]);
        }

        return [.. found.Select(f => new ImageFile(f.Key, f.Value, Executable: true))];

        void Need(byte[] binary)
        {
            var elf = ElfFile.Parse(binary);
            if (elf.Interpreter is { } loader)
                pending.Enqueue(loader.TrimStart('/'));
            foreach (var library in elf.Needed)
                pending.Enqueue(Find(library));
        }

        string Find(string library) => LibraryFolders.Select(f => f + "/" + library).FirstOrDefault(p => root.Resolve(p) is not null)
            ?? throw ImageFaults.Make(
                "image.library-missing",
                $"The guest's Debian has no library {library}.",
                "Add its package to images/debian-root/packages.list, or to the base image.");
    }

    /// <summary>Fails early where a program asks for a newer libc than the guest has: it would only show as a guest that never says hello.</summary>
    public static void CheckLibc(byte[] program, byte[] libc, string name)
    {
        var wanted = GlibcVersions(program).Max();
        if (wanted is not null && wanted > GlibcVersions(libc).Max())
        {
            throw ImageFaults.Make(
                "image.libc-too-new",
                $"{name} was linked on this host for glibc {wanted}, newer than the guest's.",
                "Build the images on Debian 12, or on a host whose glibc is not newer.");
        }
    }

    private static IEnumerable<Version> GlibcVersions(byte[] binary)
    {
        var marker = "GLIBC_2."u8.ToArray();
        for (var at = binary.AsSpan().IndexOf(marker); at >= 0;)
        {
            var end = at + marker.Length;
            while (end < binary.Length && (char.IsAsciiDigit((char)binary[end]) || binary[end] == '.'))
                end++;
            if (Version.TryParse(Encoding.ASCII.GetString(binary[(at + 6)..end]), out var version))
                yield return version;
            var next = binary.AsSpan(end).IndexOf(marker);
            at = next < 0 ? -1 : end + next;
        }
    }
}

using OpenShell.Vm.Bundles;

namespace OpenShell.Vm.Tests.Bundles;

/// <summary>A bundle taken apart, to be put together in another way.</summary>
internal sealed record TarPiece(string Name, byte[] Header, byte[] Content)
{
    /// <summary>The entries of a good bundle.</summary>
    public static List<TarPiece> Of(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var pieces = new List<TarPiece>();
        for (var at = 0; BundleHeader.Parse(bytes.AsSpan(at, BundleHeader.Block)) is { } header;)
        {
            var content = at + BundleHeader.Block;
            pieces.Add(new TarPiece(header.Name, bytes[at..content], bytes[content..(content + (int)header.Size)]));
            at = content + (int)BundleHeader.Padded(header.Size);
        }

        return pieces;
    }

    public static TarPiece Make(string name, byte[] content) => new(name, BundleHeader.Bytes(name, content.Length, executable: false), content);

    public static void Write(string path, IEnumerable<TarPiece> pieces)
    {
        using var file = File.Create(path);
        foreach (var piece in pieces)
        {
            file.Write(piece.Header);
            file.Write(piece.Content);
            file.Write(new byte[BundleHeader.Padded(piece.Content.Length) - piece.Content.Length]);
        }

        file.Write(new byte[BundleHeader.End]);
    }
}

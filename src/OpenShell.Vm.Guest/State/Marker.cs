using System.Security.Cryptography;
using System.Text;

namespace OpenShell.Vm.Guest.State;

/// <summary>Remembers on the state disk by which content something was done, so that it is done again when the content changes, and only then.</summary>
internal sealed class Marker(string name, string folder = StateLayout.Markers)
{
    private readonly string _file = Path.Combine(folder, name);

    /// <summary>Whether it was done with this content.</summary>
    public bool Is(string hash) => Lines is [var first, ..] && first == hash;

    /// <summary>What came of it, as it was said with <see cref="Set"/>.</summary>
    public IReadOnlyList<string> Made => Lines is [_, .. var made] ? made : [];

    /// <summary>Remembers that it was; after a crash in between, it is simply done again.</summary>
    /// <param name="hash">The content.</param>
    /// <param name="made">What came of it, each a line.</param>
    public void Set(string hash, params IEnumerable<string> made)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(_file + ".new", string.Join('\n', made.Prepend(hash)));
        File.Move(_file + ".new", _file, overwrite: true);
    }

    private string[] Lines => File.Exists(_file) ? File.ReadAllText(_file).Split('\n') : [];

    /// <summary>The SHA-256 of texts in their order.</summary>
    public static string HashOf(IEnumerable<string> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var text in texts)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(text));
            // Two texts must not read as one.
            hash.AppendData([0]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

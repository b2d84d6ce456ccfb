using System.Security.Cryptography;
using System.Text;

namespace OpenShell.Vm.Guest.State;

/// <summary>Remembers on the state disk by which content something was done, so that it is done again when the content changes, and only then.</summary>
internal sealed class Marker(string name, string folder = StateLayout.Markers)
{
    private readonly string _file = Path.Combine(folder, name);

    /// <summary>Whether it was done with this content.</summary>
    public bool Is(string hash) => File.Exists(_file) && File.ReadAllText(_file) == hash;

    /// <summary>Remembers that it was; after a crash in between, it is simply done again.</summary>
    public void Set(string hash)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(_file + ".new", hash);
        File.Move(_file + ".new", _file, overwrite: true);
    }

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

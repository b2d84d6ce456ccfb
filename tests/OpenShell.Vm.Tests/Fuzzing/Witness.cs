using System.Globalization;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>Has seen what lies in a folder, and says whether it is all still there, as it was, and nothing else.</summary>
internal sealed class Witness
{
    private readonly string _folder;
    private readonly HashSet<string> _exceptions;
    private readonly string[] _before;

    /// <param name="folder">Looked at with all that is in it.</param>
    /// <param name="exceptions">Paths in it at which anything may happen.</param>
    public Witness(string folder, params IEnumerable<string> exceptions)
    {
        _folder = folder;
        _exceptions = [.. exceptions];
        _before = See();
    }

    public void ShouldSeeNoChange() => See().ShouldBe(_before, "what lies outside of where something may be written");

    private string[] See() => [.. Entries(_folder).Order(StringComparer.Ordinal)];

    private IEnumerable<string> Entries(string folder)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (_exceptions.Contains(entry.FullName))
                continue;
            var isFolder = entry is DirectoryInfo && entry.LinkTarget is null;
            yield return string.Create(CultureInfo.InvariantCulture, $"{entry.FullName} {entry.Attributes} {entry.UnixFileMode} {entry.LinkTarget} {(isFolder ? 0 : entry.LastWriteTimeUtc.Ticks)} {(entry as FileInfo)?.Length}");
            foreach (var inner in isFolder ? Entries(entry.FullName) : [])
                yield return inner;
        }
    }
}

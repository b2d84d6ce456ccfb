namespace OpenShell.Vm.Guest.Pki;

/// <summary>Files that only root may read, written whole or not at all.</summary>
internal static class OwnerFile
{
    /// <summary>Writes one with mode 0600, and its folder with 0700 if it is missing.</summary>
    public static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var aside = path + ".new";
        File.Delete(aside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using (var file = new StreamWriter(new FileStream(aside, options)))
            file.Write(text);
        File.Move(aside, path, overwrite: true);
    }
}

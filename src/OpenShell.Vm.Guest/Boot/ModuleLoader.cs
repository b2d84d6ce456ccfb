using System.Runtime.InteropServices;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>Loads kernel modules that a list names in an order that satisfies their dependencies, so nothing has to be resolved at boot.</summary>
internal static class ModuleLoader
{
    // finit_module(2): include/uapi/asm-generic/unistd.h, arch/x86/entry/syscalls/syscall_64.tbl
    private static readonly nint FinitModule = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 273 : 313;

    /// <summary>The modules that a list names: one path per line, relative to <paramref name="folder"/>; <c>#</c> begins a comment.</summary>
    public static IReadOnlyList<string> Parse(string list, string folder)
    {
        var paths = new List<string>();
        foreach (var line in list.AsSpan().EnumerateLines())
        {
            var path = line.Trim();
            if (path.Length > 0 && path[0] != '#')
                paths.Add(Path.Combine(folder, path.ToString()));
        }

        return paths;
    }

    /// <summary>Loads one; one that is there already is fine.</summary>
    /// <returns><see langword="null"/>, or why it could not be loaded.</returns>
    public static string? Load(string path)
    {
        var file = Linux.Open(path, Linux.OpenReadOnly | Linux.OpenCloseOnExec, 0);
        if (file < 0)
            return $"{path}: {Errno.LastText}";
        var error = Linux.SystemCall(FinitModule, file, "", 0) == 0 || Errno.Last == Errno.Exists ? null : $"{path}: {Errno.LastText}";
        _ = Linux.Close(file);
        return error;
    }

    /// <summary>Loads all of a list.</summary>
    /// <returns>What could not be loaded, and why: a sentence per module. Whether that matters is for the caller to say.</returns>
    public static IReadOnlyList<string> LoadAll(IReadOnlyList<string> paths)
    {
        var errors = new List<string>();
        foreach (var path in paths)
        {
            if (Load(path) is { } error)
                errors.Add(error);
        }

        return errors;
    }
}

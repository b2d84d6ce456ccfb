using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OpenShell.Vm.Hypervisors;

namespace OpenShell.Vm.Interop;

/// <summary>
/// Landlock (https://docs.kernel.org/userspace-api/landlock.html): a thread of a Linux process, and all that it starts from then on, gives up rights to files for good. No privilege is needed for it. Numbers are those of
/// <c>include/uapi/linux/landlock.h</c>.
/// </summary>
internal static unsafe class Landlock
{
    private const nint CreateRuleset = 444, AddRule = 445, RestrictSelf = 446;
    private const int NoNewPrivileges = 38; // PR_SET_NO_NEW_PRIVS
    private const int PathBeneath = 1; // LANDLOCK_RULE_PATH_BENEATH
    private const int VersionAsked = 1; // LANDLOCK_CREATE_RULESET_VERSION
    private const int PathOnly = 0x200000; // O_PATH

    private const ulong Execute = 1 << 0, WriteFile = 1 << 1, ReadFile = 1 << 2, ReadFolder = 1 << 3, RemoveFile = 1 << 5, MakeSocket = 1 << 9;

    /// <summary>What came with which version: 13 kinds of access in the first, moves between folders (2), cutting off (3).</summary>
    private static readonly ulong[] KnownSince = [0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1];

    /// <summary>The kernel's version of it; 0: it has none, or it is turned off.</summary>
    internal static int Version { get; } = OperatingSystem.IsLinux() ? Math.Max(0, (int)Libc.SystemCall(CreateRuleset, 0, 0, VersionAsked, 0)) : 0;

    /// <summary>Confines this thread and what it starts. Nothing can undo it: for a thread that does nothing else.</summary>
    /// <returns>Whether it is in force; <see langword="false"/> where the kernel has no Landlock, or takes a rule ill.</returns>
    internal static bool Confine(FileConfinement confinement)
    {
        if (Version == 0)
            return false;
        var handled = KnownSince[Math.Min(Version, KnownSince.Length - 1)];
        var rules = (int)Libc.SystemCall(CreateRuleset, (nint)(&handled), sizeof(ulong), 0, 0);
        if (rules < 0)
            return false;
        try
        {
            (IEnumerable<string> Paths, ulong Access)[] allowed =
            [
                (confinement.Readable.Concat(OwnCode()), Execute | ReadFile | ReadFolder),
                (confinement.Writable, ReadFile | WriteFile),
                (confinement.SocketFolders, ReadFile | ReadFolder | RemoveFile | MakeSocket),
            ];
            return allowed.All(each => each.Paths.All(path => IsAllowed(rules, path, each.Access)))
                && Libc.ProcessControl(NoNewPrivileges, 1, 0, 0, 0) == 0 && Libc.SystemCall(RestrictSelf, rules, 0, 0, 0) == 0;
        }
        finally
        {
            _ = Libc.Close(rules);
        }
    }

    /// <summary>What is compiled as it runs may still have to be read by this thread.</summary>
    private static string[] OwnCode() => RuntimeFeature.IsDynamicCodeSupported ? [AppContext.BaseDirectory, RuntimeEnvironment.GetRuntimeDirectory()] : [];

    /// <summary>Of what is not there nothing has to be allowed. A link stands for what it leads to.</summary>
    private static bool IsAllowed(int rules, string path, ulong access)
    {
        var at = Libc.Open(path, PathOnly | Libc.CloseOnExec);
        if (at < 0)
            return true;
        try
        {
            // struct landlock_path_beneath_attr, packed. A file takes no rights that only folders have.
            var rule = stackalloc byte[12];
            *(ulong*)rule = Directory.Exists(path) ? access : access & (Execute | ReadFile | WriteFile);
            *(int*)(rule + 8) = at;
            return Libc.SystemCall(AddRule, rules, PathBeneath, (nint)rule, 0) == 0;
        }
        finally
        {
            _ = Libc.Close(at);
        }
    }
}

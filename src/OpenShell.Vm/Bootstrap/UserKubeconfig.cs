using System.Diagnostics;
using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using YamlDotNet.RepresentationModel;

namespace OpenShell.Vm.Bootstrap;

/// <summary>
/// The user's own kubeconfig, into which an instance's context is merged when that is asked for. Which file is written, and who else may be writing it, is as with kubectl
/// (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/, https://pkg.go.dev/k8s.io/client-go/tools/clientcmd).
/// </summary>
public sealed class UserKubeconfig
{
    /// <summary>kubectl holds its lock for milliseconds; one that stays is of a process that was killed.</summary>
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Ends the name of the copy that is kept of what a file was before it was last changed here.</summary>
    public const string BackupSuffix = ".openshell-vm.bak";

    private readonly IReadOnlyList<string> _files;

    private UserKubeconfig(IReadOnlyList<string> files) => _files = files;

    /// <summary>The files that kubectl would use.</summary>
    /// <param name="directories">The host's folders.</param>
    /// <param name="variable">The value of KUBECONFIG.</param>
    public static UserKubeconfig For(HostDirectories directories, string? variable)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var named = (variable ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal).ToArray();

        // An instance's own file is written whole at each start, and has its context anyway.
        return new UserKubeconfig(named.Length == 0 ? [Path.Combine(directories.Kube, "config")] : [.. named.Where(file => !IsOwn(directories, file))]);
    }

    /// <summary>No file at all: nothing of the user's is looked at, or changed.</summary>
    public static UserKubeconfig None { get; } = new([]);

    /// <summary>The backups that are there.</summary>
    public IReadOnlyList<string> Backups => [.. _files.Select(file => Target(file) + BackupSuffix).Where(File.Exists)];

    /// <summary>The files in which an instance's context is.</summary>
    /// <exception cref="FaultException">One of them cannot be read (<c>kubeconfig.unreadable</c>).</exception>
    public IReadOnlyList<string> FilesWith(string instance) =>
        [.. Read().Where(f => IsOurs(f.Text.Entry("clusters", Kubeconfig.NameFor(instance)))).Select(f => f.Path)];

    /// <summary>Puts an instance's cluster, user and context in, in place of older ones of it. What the file was before is kept beside it.</summary>
    /// <param name="instance">The instance.</param>
    /// <param name="yaml">Its own kubeconfig.</param>
    /// <param name="use">Also make its context the current one; it becomes so anyway where there is none.</param>
    /// <returns>The file, and whether its context is the current one.</returns>
    /// <exception cref="FaultException">Nothing was changed: a file cannot be read, or has an entry of that name that is somebody else's.</exception>
    public KubeconfigMerge Merge(string instance, string yaml, bool use)
    {
        var name = Kubeconfig.NameFor(instance);
        var all = Read();
        if (all.Count == 0)
            throw new FaultException(OnlyOwnFiles());
        foreach (var (path, text) in all)
        {
            if (text.Entry("clusters", name) is { } cluster && !IsOurs(cluster))
                throw new FaultException(Foreign(path, name));
        }

        var target = FirstWhere(all, f => f.Text.Entry("contexts", name) is not null) ?? FirstWhere(all, f => File.Exists(f.Path)) ?? all[^1];
        var current = all.Select(f => f.Text.CurrentContext).FirstOrDefault(c => c.Length > 0) ?? "";
        var switching = current != name && (use || current.Length == 0);

        // The first file that names a current context is the one that counts.
        var says = FirstWhere(all, f => f.Text.CurrentContext.Length > 0) ?? target;
        Change(target.Path, text =>
        {
            foreach (var (list, entry) in Entries(yaml, name))
                text.Set(list, entry);
            if (switching && says.Path == target.Path)
                text.SetCurrentContext(name);
        });
        if (switching && says.Path != target.Path)
            Change(says.Path, text => text.SetCurrentContext(name));
        return new KubeconfigMerge(target.Path, name, current == name || switching);
    }

    /// <summary>Takes an instance's cluster, user and context out again wherever they are.</summary>
    /// <returns>The files that were changed.</returns>
    /// <exception cref="FaultException">A file cannot be read; nothing was changed.</exception>
    public IReadOnlyList<string> Unmerge(string instance)
    {
        var name = Kubeconfig.NameFor(instance);
        var files = FilesWith(instance);
        foreach (var (path, _) in Read().Where(f => files.Contains(f.Path) || (files.Count > 0 && f.Text.CurrentContext == name)))
        {
            // One change of each file: the copy that is kept is of what it was before.
            Change(path, text =>
            {
                foreach (var list in files.Contains(path) ? (string[])["contexts", "clusters", "users"] : [])
                    text.Remove(list, name);
                if (text.CurrentContext == name)
                    text.SetCurrentContext("");
            });
        }

        return files;
    }

    /// <summary>Where an instance's context was merged, and its cluster is one of those given: puts what its own kubeconfig says now in its place. Nothing is merged anew.</summary>
    /// <param name="instance">The instance.</param>
    /// <param name="was">Its own kubeconfig as it was until now; <see langword="null"/>: it had none.</param>
    /// <param name="yaml">As it is now.</param>
    /// <returns>The files that were changed.</returns>
    /// <exception cref="FaultException">A file cannot be read, or changed.</exception>
    internal IReadOnlyList<string> Refresh(string instance, string? was, string yaml)
    {
        // Most have no such context, and what parses YAML needs not be loaded for them.
        var name = Kubeconfig.NameFor(instance);
        if (!_files.Any(file => Mentions(file, name)))
            return [];

        // Another data folder may have an instance of that name too. A cluster is told by its authority.
        string[] authorities = [.. new[] { was, yaml }.OfType<string>().Select(own => AuthorityOf(TryParse(own)?.Entry("clusters", name))).OfType<string>()];
        var refreshed = new List<string>();
        foreach (var (path, text) in Read())
        {
            if (text.Entry("clusters", name) is not { } cluster || !IsOurs(cluster) || !authorities.Contains(AuthorityOf(cluster)))
                continue;
            Change(path, now =>
            {
                foreach (var (list, entry) in Entries(yaml, name).Where(each => now.Entry(each.List, name) is not null))
                    now.Set(list, entry);
            });
            refreshed.Add(path);
        }

        return refreshed;
    }

    private static bool Mentions(string path, string name)
    {
        try
        {
            return File.Exists(path) && File.ReadAllText(path).Contains(name, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(Unreadable(path, e.Message), e);
        }
    }

    private static KubeconfigText? TryParse(string yaml)
    {
        try
        {
            return KubeconfigText.Parse(yaml);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string? AuthorityOf(YamlMappingNode? cluster) =>
        cluster?.Children.TryGetValue("cluster", out var inner) == true && inner is YamlMappingNode fields
        && fields.Children.TryGetValue("certificate-authority-data", out var data) && data is YamlScalarNode { Value: { } authority } ? authority : null;

    private List<(string Path, KubeconfigText Text)> Read() => [.. _files.Select(file => (file, ReadOne(file)))];

    private static KubeconfigText ReadOne(string path)
    {
        try
        {
            return KubeconfigText.Parse(File.Exists(path) ? File.ReadAllText(path) : "");
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new FaultException(Unreadable(path, e.Message), e);
        }
    }

    /// <summary>Reads under kubectl's lock, changes, keeps a copy of what was, and puts the new file in its place in one step.</summary>
    private static void Change(string path, Action<KubeconfigText> change)
    {
        var target = Target(path);
        PrivateFolder.Create(Path.GetDirectoryName(target)!);
        using var held = Lock(target);
        var text = ReadOne(target);
        var before = text.ToString();
        try
        {
            change(text);
        }
        catch (FormatException e)
        {
            throw new FaultException(Unreadable(path, e.Message), e);
        }

        if (text.ToString() == before)
            return;
        UnixFileMode? mode = File.Exists(target) ? File.GetUnixFileMode(target) : null;
        try
        {
            if (mode is not null)
                AtomicFile.Write(target + BackupSuffix, File.ReadAllBytes(target));
            AtomicFile.Write(target, Encoding.UTF8.GetBytes(text.ToString()), mode: mode);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PrivateFolder.NotWritable(target, e);
        }
    }

    /// <summary>kubectl's own lock: a file that must not be there yet.</summary>
    private static FileStream Lock(string target)
    {
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                return new FileStream(target + ".lock", new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose });
            }
            catch (IOException) when (File.Exists(target + ".lock"))
            {
                if (Stopwatch.GetElapsedTime(started) < LockLimit)
                {
                    Thread.Sleep(LockPause);
                    continue;
                }

                throw new FaultException(new Fault
                {
                    Code = "kubeconfig.locked",
                    What = $"{target} is being changed by another program: there is {target}.lock.",
                    Remedy = "Try again; if no kubectl runs, that file is left of one that was killed: remove it.",
                });
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw PrivateFolder.NotWritable(target, e);
            }
        }
    }

    private static IEnumerable<(string List, KubeconfigEntry Entry)> Entries(string yaml, string name)
    {
        var own = KubeconfigText.Parse(yaml);
        var cluster = Part(own, "clusters", name, "cluster");
        var user = Part(own, "users", name, "user");
        return
        [
            ("clusters", KubeconfigEntry.Of("cluster", name, Field(cluster, "server"), Field(cluster, "certificate-authority-data"))),
            ("users", KubeconfigEntry.Of("user", name, Field(user, "client-certificate-data"), Field(user, "client-key-data"))),
            ("contexts", KubeconfigEntry.Of("context", name, ("cluster", name), ("user", name))),
        ];

        static YamlMappingNode Part(KubeconfigText text, string list, string name, string kind) =>
            text.Entry(list, name)?.Children[kind] as YamlMappingNode ?? throw new FormatException($"it has no {kind} {name}");

        static (string, string) Field(YamlMappingNode node, string key) => (key, ((YamlScalarNode)node.Children[key]).Value!);
    }

    private static bool IsOurs(YamlMappingNode? cluster) =>
        cluster is not null && cluster.Children.TryGetValue("cluster", out var inner) && inner is YamlMappingNode fields
        && fields.Children.TryGetValue("server", out var server) && server is YamlScalarNode { Value: { } address } && address.StartsWith("https://127.0.0.1:", StringComparison.Ordinal);

    private static bool IsOwn(HostDirectories directories, string file) =>
        Path.GetDirectoryName(file) == directories.Kube && Path.GetFileName(file) is "gateway.yaml" or ['g', 'a', 't', 'e', 'w', 'a', 'y', '-', .., '.', 'y', 'a', 'm', 'l'];

    // The link stays, what it leads to is replaced.
    private static string Target(string path) => new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;

    private static (string Path, KubeconfigText Text)? FirstWhere(List<(string Path, KubeconfigText Text)> all, Func<(string Path, KubeconfigText Text), bool> which)
    {
        var index = all.FindIndex(f => which(f));
        return index < 0 ? null : all[index];
    }

    private static Fault Unreadable(string path, string why) => new()
    {
        Code = "kubeconfig.unreadable",
        What = $"{path} is no kubeconfig that can be changed: {why.TrimEnd('.')}. Nothing was changed.",
        Remedy = "Correct it, name another file with KUBECONFIG, or use the instance's own file: 'gateway kubeconfig --path'.",
    };

    private static Fault Foreign(string path, string name) => new()
    {
        Code = "kubeconfig.foreign-entry",
        What = $"{path} has a cluster {name} that is not on this machine. Nothing was changed.",
        Remedy = "Rename or remove that entry, or use the instance's own file: 'gateway kubeconfig --path'.",
    };

    private static Fault OnlyOwnFiles() => new()
    {
        Code = "kubeconfig.nothing-to-merge",
        What = "KUBECONFIG names only files of this program, which have their instance's context already.",
        Remedy = "Nothing needs to be merged; to merge into ~/.kube/config, unset KUBECONFIG.",
    };
}

/// <summary>What a merge did.</summary>
/// <param name="File">The file that has the context now.</param>
/// <param name="Context">The context's name.</param>
/// <param name="IsCurrent">Whether kubectl uses it when none is named.</param>
public sealed record KubeconfigMerge(string File, string Context, bool IsCurrent);

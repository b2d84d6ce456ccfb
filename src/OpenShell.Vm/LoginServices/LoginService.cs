using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.LoginServices;

/// <summary>
/// Starts instances when their user logs in: files in the folder of the user's service manager, and nothing else. Each step is a file or a link that can be listed, so that what was
/// installed is exactly what is removed; telling the running manager of it is left to the caller, who may have none.
/// </summary>
public sealed class LoginService
{
    private readonly string _folder;
    private readonly bool _launchd;

    /// <summary>The services of a user.</summary>
    /// <param name="home">The user's home.</param>
    /// <param name="configHome"><c>$XDG_CONFIG_HOME</c>, or <c>~/.config</c>.</param>
    /// <param name="launchd">macOS.</param>
    public LoginService(string home, string configHome, bool launchd)
    {
        _launchd = launchd;
        _folder = launchd ? Path.Combine(home, "Library", "LaunchAgents") : Path.Combine(configHome, "systemd", "user");
    }

    /// <summary>The name by which the service manager knows it.</summary>
    public string NameOf(string instance) => _launchd ? LaunchAgent.LabelOf(instance) : SystemdUnit.NameOf(instance);

    /// <summary>Its description for the service manager.</summary>
    public string FileOf(string instance) => Path.Combine(_folder, _launchd ? LaunchAgent.FileOf(instance) : SystemdUnit.NameOf(instance));

    /// <summary>All that installing makes, in its order.</summary>
    public IReadOnlyList<string> PathsOf(string instance) => _launchd ? [FileOf(instance)] : [FileOf(instance), SystemdUnit.WantsLink(_folder, instance)];

    /// <summary>The instances that have one.</summary>
    public IReadOnlyList<string> Instances()
    {
        var (before, after) = _launchd ? ("openshell-vm.", ".plist") : ("openshell-vm-", ".service");
        return Directory.Exists(_folder)
            ? [.. Directory.EnumerateFiles(_folder, $"{before}*{after}").Where(IsOurs).Select(file => Path.GetFileName(file)[before.Length..^after.Length]).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>Whether what is started by that name is the instance of a folder, and neither somebody's own nor of instances that are kept elsewhere.</summary>
    public bool IsOf(string instance, string folder)
    {
        var file = FileOf(instance);
        var line = _launchd ? LaunchAgent.PathLine(ServiceDescription.LogIn(folder)) : SystemdUnit.OwnerLine(folder);
        return File.Exists(file) && IsOurs(file) && File.ReadLines(file).Any(each => each.TrimStart() == line);
    }

    /// <summary>What there is of it.</summary>
    public LoginServiceState StateOf(string instance) => new(
        File.Exists(FileOf(instance)),
        PathsOf(instance).All(path => Path.Exists(path) || new FileInfo(path).LinkTarget is not null),
        File.Exists(FileOf(instance)) && !IsOurs(FileOf(instance)));

    /// <summary>Writes it, so that it is started at the next login; one of ours that is there already is replaced.</summary>
    /// <exception cref="FaultException">The service manager could not start it (<c>service.path</c>), a file of that name is not ours (<c>service.foreign</c>), or the folder cannot be written.</exception>
    public void Install(ServiceDescription service)
    {
        ArgumentNullException.ThrowIfNull(service);
        var file = FileOf(service.Instance);
        ThrowIfUnfit(service);
        ThrowIfForeign(file);
        PrivateFolder.Create(_folder);
        Guarded(file, () => AtomicFile.Write(file, Encoding.UTF8.GetBytes(_launchd ? LaunchAgent.Text(service) : SystemdUnit.Text(service)), mode: FileMode));
        if (_launchd)
            return;
        var link = SystemdUnit.WantsLink(_folder, service.Instance);
        PrivateFolder.Create(Path.GetDirectoryName(link)!);
        Guarded(link, () =>
        {
            File.Delete(link);
            File.CreateSymbolicLink(link, file);
        });
    }

    /// <summary>Removes exactly what <see cref="Install"/> made.</summary>
    /// <returns>What was removed; empty: there was nothing.</returns>
    /// <exception cref="FaultException">The file of that name is not ours.</exception>
    public IReadOnlyList<string> Remove(string instance)
    {
        ThrowIfForeign(FileOf(instance));
        var removed = new List<string>();

        // The link first: half removed is installed and not started.
        foreach (var path in PathsOf(instance).Reverse())
        {
            if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
                continue;
            Guarded(path, () => File.Delete(path));
            removed.Add(path);
        }

        return removed;
    }

    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static bool IsOurs(string file) => File.ReadLines(file).Take(3).Any(line => line.Contains(ServiceDescription.Mark, StringComparison.Ordinal));

    private void ThrowIfUnfit(ServiceDescription service)
    {
        if (!_launchd && service.Command[0].AsSpan().ContainsAny(SystemdUnit.NotInPrograms))
            throw Unfit($"systemd starts no program whose path has a quote or a backslash in it: {service.Command[0]}.", "Move the program, or the clone that it is of, into a folder without these in its name, and install again.");
        if (service.Command.Concat(service.Environment.Select(variable => variable.Value)).Append(service.Folder).FirstOrDefault(text => text.Any(char.IsControl)) is { } broken)
            throw Unfit($"'{string.Concat(broken.Select(c => char.IsControl(c) ? '?' : c))}' has a control character in it, which a service cannot be described with.", "Use folders without these in their names, and install again.");
    }

    private static FaultException Unfit(string what, string remedy) => new(new Fault { Code = "service.path", What = what + " Nothing was changed.", Remedy = remedy });

    private static void ThrowIfForeign(string file)
    {
        if (File.Exists(file) && !IsOurs(file))
        {
            throw new FaultException(new Fault
            {
                Code = "service.foreign",
                What = $"{file} was not written by this program, or somebody has rewritten it. Nothing was changed.",
                Remedy = "Look at it, and remove it yourself if it is not needed.",
            });
        }
    }

    private static void Guarded(string path, Action act)
    {
        try
        {
            act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PrivateFolder.NotWritable(path, e);
        }
    }
}

/// <summary>What there is of a service.</summary>
/// <param name="Installed">Its file is there.</param>
/// <param name="Enabled">It is started at the next login.</param>
/// <param name="Foreign">The file is somebody else's.</param>
public sealed record LoginServiceState(bool Installed, bool Enabled, bool Foreign);

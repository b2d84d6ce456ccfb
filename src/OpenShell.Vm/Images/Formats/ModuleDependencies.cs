namespace OpenShell.Vm.Images.Formats;

/// <summary>The kernel's modules with what each needs, as depmod wrote it into <c>modules.dep</c> (https://man7.org/linux/man-pages/man5/modules.dep.5.html).</summary>
internal sealed class ModuleDependencies
{
    private readonly Dictionary<string, string> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<string>> _needs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _builtIn;

    /// <param name="dependencies">Lines of <c>modules.dep</c>: <c>PATH: PATH PATH</c>.</param>
    /// <param name="builtIn">Lines of <c>modules.builtin</c>: paths.</param>
    public ModuleDependencies(IEnumerable<string> dependencies, IEnumerable<string> builtIn)
    {
        foreach (var line in dependencies)
        {
            if (line.Split(':', 2) is not [var path, var needs])
                continue;
            _paths[NameOf(path)] = path;
            _needs[path] = needs.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }

        _builtIn = builtIn.Select(NameOf).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The given modules and all that they need, as paths relative to the modules' folder, in an order in which they can be loaded. What is built in is left out.</summary>
    /// <exception cref="KeyNotFoundException">The kernel has no such module, neither loadable nor built in.</exception>
    public IReadOnlyList<string> LoadOrder(IEnumerable<string> names)
    {
        var ordered = new List<string>();
        foreach (var name in names)
        {
            if (_builtIn.Contains(Normal(name)))
                continue;
            Visit(_paths.TryGetValue(Normal(name), out var path) ? path : throw new KeyNotFoundException($"the kernel has no module {name}"));
        }

        return ordered;

        void Visit(string path)
        {
            if (ordered.Contains(path))
                return;
            foreach (var need in _needs[path])
                Visit(need);
            ordered.Add(path);
        }
    }

    // The same module is written with - and with _.
    private static string Normal(string name) => name.Replace('-', '_');

    private static string NameOf(string path)
    {
        var file = path[(path.LastIndexOf('/') + 1)..];
        return Normal(file[..file.IndexOf(".ko", StringComparison.Ordinal)]);
    }
}

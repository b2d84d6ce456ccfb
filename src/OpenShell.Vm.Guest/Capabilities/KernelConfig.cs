using System.IO.Compression;

namespace OpenShell.Vm.Guest.Capabilities;

/// <summary>The configuration that the running kernel was built with; read to explain what is missing, and of a kernel without modules to know what it has.</summary>
internal sealed class KernelConfig(string text)
{
    /// <summary>The kernel's release, as <c>uname -r</c> prints it.</summary>
    public static string Release => File.Exists("/proc/sys/kernel/osrelease") ? File.ReadAllText("/proc/sys/kernel/osrelease").Trim() : "unknown";

    /// <summary>Reads <c>/proc/config.gz</c> or <c>/boot/config-RELEASE</c>; <see langword="null"/> without either.</summary>
    public static KernelConfig? Read()
    {
        if (File.Exists("/proc/config.gz"))
        {
            using var packed = new GZipStream(File.OpenRead("/proc/config.gz"), CompressionMode.Decompress);
            return new KernelConfig(new StreamReader(packed).ReadToEnd());
        }

        var file = "/boot/config-" + Release;
        return File.Exists(file) ? new KernelConfig(File.ReadAllText(file)) : null;
    }

    /// <summary>Options that are built in.</summary>
    public IReadOnlySet<string> BuiltIn => text.Split('\n').Where(l => l.EndsWith("=y", StringComparison.Ordinal)).Select(l => l[..^2]).ToHashSet();

    /// <summary>What the configuration says about an option, for a person.</summary>
    public string Explain(string option)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(option) && line.Length > option.Length + 1 && line[option.Length] == '=')
                return line[(option.Length + 1)..] is "m" ? "built as a module, which is not loaded" : $"set to {line[(option.Length + 1)..]}, but it does not show";
        }

        return "not set";
    }
}

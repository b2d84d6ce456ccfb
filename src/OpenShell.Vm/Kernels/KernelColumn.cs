using System.Text;

namespace OpenShell.Vm.Kernels;

/// <summary>A kernel that is compared with others.</summary>
/// <param name="Title">What it is called, and by what it was judged if not by its configuration.</param>
/// <param name="Options">What is known of its options.</param>
public sealed record KernelColumn(string Title, IKernelOptions Options)
{
    /// <summary>A kernel in a file: its configuration as text, or a kernel or libkrunfw, by the configuration that it holds or else by its symbols. Nothing in it is executed.</summary>
    /// <exception cref="InvalidDataException">It tells neither.</exception>
    public static KernelColumn OfFile(string name, string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes.AsSpan().IndexOf((byte)0) < 0)
            return new KernelColumn(name, KernelConfiguration.Parse(Encoding.UTF8.GetString(bytes)));
        if (EmbeddedConfiguration.Find(bytes) is { } configuration)
            return new KernelColumn(name, configuration);
        var symbols = KernelSymbols.Read(bytes);
        var release = EmbeddedConfiguration.Release(bytes) is { } found ? found + ", " : "";
        return new KernelColumn($"{name} ({release}by symbols)", new WitnessedOptions(symbols));
    }
}

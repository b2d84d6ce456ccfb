using System.Text;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Kernels;

/// <summary>A kernel that is compared with others.</summary>
/// <param name="Title">What it is called, and by what it was judged if not by its configuration.</param>
/// <param name="Options">What is known of its options.</param>
public sealed record KernelColumn(string Title, IKernelOptions Options)
{
    // A kernel with symbols for a debugger has some hundred MB.
    private const int LargestFile = 1 << 30;

    /// <summary>A kernel in a file: its configuration as text, or a kernel or libkrunfw, by the configuration that it holds or else by its symbols. Nothing in it is executed.</summary>
    /// <exception cref="InvalidDataException">It tells neither.</exception>
    public static KernelColumn OfFile(string name, string path)
    {
        var bytes = RegularFile.Read(path, LargestFile);
        if (bytes.AsSpan().IndexOf((byte)0) < 0)
        {
            var text = KernelConfiguration.Parse(Encoding.UTF8.GetString(bytes));
            return text.Values.Count > 0 ? new KernelColumn(name, text) : throw new InvalidDataException("no line of it is CONFIG_NAME=VALUE");
        }

        if (EmbeddedConfiguration.Find(bytes) is { } configuration)
            return new KernelColumn(name, configuration);
        var symbols = KernelSymbols.Read(bytes);
        var release = EmbeddedConfiguration.Release(bytes) is { } found ? found + ", " : "";
        return new KernelColumn($"{name} ({release}by symbols)", new WitnessedOptions(symbols));
    }
}

using OpenShell.Gateway.Cli.Terminals;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>This process's own streams, byte for byte.</summary>
internal static class LocalStreams
{
    public static Stream Stdin { get; } = new DescriptorStream(LibC.Stdin, FileAccess.Read);

    public static Stream Stdout { get; } = new DescriptorStream(LibC.Stdout, FileAccess.Write);

    /// <summary>Stdout for what a guest or somebody else wrote: on a terminal, without effect on it.</summary>
    public static Stream LogOutput(CommandContext context) => context.Host.OutIsTerminal ? new PrintableStream(Stdout) : Stdout;

    public static Stream Stderr { get; } = new DescriptorStream(LibC.Stderr, FileAccess.Write);
}

using System.Reflection;

namespace OpenShell.Gateway.Cli.Completing;

/// <summary>What a shell reads to complete lines of <c>gateway</c>: each script asks the command itself, which knows its options. They are files beside this one.</summary>
internal static class CompletionScripts
{
    /// <summary>The shells that there is one for.</summary>
    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish"];

    /// <summary>The script for one of them.</summary>
    public static string For(string shell)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"completion.{shell}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

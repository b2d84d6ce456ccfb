using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Files;

namespace OpenShell.Gateway.Cli.Copying;

/// <summary>One line on the terminal that says how far a copy is; nothing where stderr is no terminal.</summary>
internal sealed class CopyProgress(CommandContext context) : IProgress<TreeProgress>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private const int Width = 79;

    private readonly bool _shown = context.Host.ErrorIsRich && !context.Quiet;
    private long _last = context.Host.Time.GetTimestamp();
    private bool _written;

    public void Report(TreeProgress value)
    {
        if (!_shown || context.Host.Time.GetElapsedTime(_last) < Interval)
            return;
        _last = context.Host.Time.GetTimestamp();
        _written = true;

        // Names come from a guest: on a terminal they must not do anything.
        var text = $"{Units.Size(value.Bytes)}, {value.Entries} entries   {string.Concat(value.Path.Select(c => char.IsControl(c) ? '?' : c))}";
        context.Host.Error.Write($"\r\e[K{(text.Length > Width ? text[..Width] : text)}");
    }

    public void Dispose()
    {
        if (_written)
            context.Host.Error.Write("\r\e[K");
    }
}

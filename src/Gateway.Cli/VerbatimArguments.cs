namespace OpenShell.Gateway.Cli;

/// <summary>
/// <c>--args</c> takes the rest of the line as it is, options of this program's own included. No parser of options does that, so the line is cut
/// before it is parsed.
/// </summary>
internal static class VerbatimArguments
{
    /// <summary>The option.</summary>
    public const string Option = "--args";

    /// <summary>Cuts behind the first <c>--args</c>, which itself stays; one behind <c>--</c> is none of ours.</summary>
    public static (IReadOnlyList<string> Own, IReadOnlyList<string> Verbatim) Split(IReadOnlyList<string> arguments)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--")
                break;
            if (arguments[i] == Option)
                return ([.. arguments.Take(i + 1)], [.. arguments.Skip(i + 1)]);
        }

        return (arguments, []);
    }
}

using System.Globalization;

namespace OpenShell.Vm.Bench;

/// <summary>The command line, understood. Pure.</summary>
internal sealed record BenchOptions
{
    public const string Usage = "bench/run [--list] [--runs N] [--json FILE] [--svg FILE] [--write FILE] [--with FILE] [NAME...]";

    /// <summary>Only tell which benchmarks there are.</summary>
    public bool List { get; init; }

    /// <summary>How often, if said.</summary>
    public int? Runs { get; init; }

    /// <summary>Where the results go, as JSON.</summary>
    public string? Json { get; init; }

    /// <summary>Where the picture of the starts goes.</summary>
    public string? Svg { get; init; }

    /// <summary>Where the page for people goes, with its picture beside it.</summary>
    public string? Page { get; init; }

    /// <summary>Results of an earlier run, shown for the benchmarks that are not run now.</summary>
    public string? Earlier { get; init; }

    /// <summary>The benchmarks to run; empty: all.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Reads it.</summary>
    /// <exception cref="BenchException">It is not understood; says which word.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> words, IEnumerable<string> known)
    {
        var options = new BenchOptions();
        for (var i = 0; i < words.Count; i++)
        {
            // A name of no file begins with a hyphen here: it is the next option, and the value was forgotten.
            string Value() => i + 1 < words.Count && !words[i + 1].StartsWith('-') ? words[++i] : throw new BenchException($"{words[i]} wants a value. Usage: {Usage}");
            options = words[i] switch
            {
                "--list" => options with { List = true },
                "--runs" => options with { Runs = int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var runs) && runs > 0 ? runs : throw new BenchException($"--runs wants a number from 1 on. Usage: {Usage}") },
                "--json" => options with { Json = Value() },
                "--svg" => options with { Svg = Value() },
                "--write" => options with { Page = Value() },
                "--with" => options with { Earlier = Value() },
                var name when known.Contains(name) => options with { Names = [.. options.Names, name] },
                var word => throw new BenchException($"'{word}' is not understood. Usage: {Usage}"),
            };
        }

        return options;
    }

    /// <summary>Whether a benchmark is to be run.</summary>
    public bool Wants(string name) => Names.Count == 0 || Names.Contains(name);
}

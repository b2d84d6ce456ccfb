using System.Diagnostics;

namespace OpenShell.Vm.Images.Host;

/// <summary>What dpkg knows about this host.</summary>
internal static class Dpkg
{
    /// <summary>The versions of those of the given packages that are installed.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> InstalledAsync(IReadOnlyList<string> packages, CancellationToken cancellationToken)
    {
        // Ends with 1 when it does not know one of them; what it knows is on stdout all the same.
        var (_, output) = await RunAsync("dpkg-query", ["--show", "--showformat", "${Package} ${db:Status-Status} ${Version}\n", .. packages], cancellationToken).ConfigureAwait(false);
        return output.Split('\n')
            .Select(line => line.Split(' '))
            .Where(words => words is [_, "installed", _])
            .DistinctBy(words => words[0])
            .ToDictionary(words => words[0], words => words[2], StringComparer.Ordinal);
    }

    /// <summary>The package that has a file, or <see langword="null"/>.</summary>
    public static async Task<string?> OwnerAsync(string path, CancellationToken cancellationToken)
    {
        // "qemu-system-x86: /usr/bin/qemu-system-x86_64", with ":amd64" after the name of a package of one architecture of several.
        var (code, output) = await RunAsync("dpkg-query", ["--search", path], cancellationToken).ConfigureAwait(false);
        return code == 0 ? output.Split(':')[0].Split(',')[0] : null;
    }

    /// <summary>Whether one version is at least another, in Debian's order.</summary>
    public static async Task<bool> IsAtLeastAsync(string version, string least, CancellationToken cancellationToken) =>
        (await RunAsync("dpkg", ["--compare-versions", version, "ge", least], cancellationToken).ConfigureAwait(false)).Code == 0;

    private static async Task<(int Code, string Output)> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var path = RuntimeTools.FindProgram(program) ?? throw HostSetup.UnsupportedHost();
        using var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await errors.ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return (process.ExitCode, output);
    }
}

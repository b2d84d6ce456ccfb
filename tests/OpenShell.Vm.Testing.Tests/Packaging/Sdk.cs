using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Testing.Tests.Packaging;

/// <summary>The .NET SDK on the source tree that this test was built from.</summary>
internal sealed class Sdk
{
    private static readonly TimeSpan Short = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, string?> _environment;

    private Sdk(string root, string temporary)
    {
        Root = root;
        _environment = new Dictionary<string, string?>
        {
            ["TMPDIR"] = temporary,
            ["DOTNET_NOLOGO"] = "1",
            ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            ["DOTNET_CLI_UI_LANGUAGE"] = "en",

            // Build servers would outlive the test, and hold its pipes open.
            ["MSBUILDDISABLENODEREUSE"] = "1",
            ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
            ["UseSharedCompilation"] = "false",
        };
    }

    /// <summary>The source tree.</summary>
    public string Root { get; }

    /// <summary>The folder of packages that were restored already: what builds the tree is there, wherever this host's NuGet has it from.</summary>
    public string Packages { get; private init; } = "";

    /// <summary>Skips the test where there is none of it.</summary>
    /// <param name="temporary">Takes what compilers leave.</param>
    public static async Task<Sdk> RequireAsync(string temporary)
    {
        var root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "OpenShell.Vm.slnx")))
            root = Path.GetDirectoryName(root);
        if (root is null)
            Assert.Skip("no source tree lies above this program: there is nothing to pack");
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "dotnet"))))
            Assert.Skip("there is no 'dotnet' in PATH");

        // In the tree, so that its global.json decides.
        var found = await new Sdk(root, temporary).ShellAsync(root, "dotnet nuget locals global-packages --list", Short);
        if (found.ExitCode != 0)
            Assert.Skip($"no .NET SDK that is here fits global.json: {found}");
        return new Sdk(root, temporary) { Packages = found.Out.Split(": ", 2)[1].Trim() };
    }

    /// <summary>A line of shell in a folder.</summary>
    public Task<Finished> ShellAsync(string folder, string line, TimeSpan timeout) => HostProgram.RunAsync("sh", ["-ec", $"cd \"$0\"\n{line}", folder], timeout, _environment);
}

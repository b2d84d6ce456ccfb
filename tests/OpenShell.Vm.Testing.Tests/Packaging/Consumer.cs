using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Testing.Tests.Packaging;

/// <summary>A program of somebody who has the packages and nothing else of this project.</summary>
/// <param name="sdk">Compiles it.</param>
/// <param name="root">Where it lies: no folder above is the source tree.</param>
internal sealed class Consumer(Sdk sdk, string root)
{
    /// <summary>Compiling, or a program that looks at the host, or starts a cluster for which a golden image has to be baked.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(25);

    // What it prints is what the test reads: first what it did, then what came of it.
    private const string Program = """
        using System.Text.Json;
        using OpenShell.Vm.Faults;
        using OpenShell.Vm.Images;
        using OpenShell.Vm.Instances;
        using OpenShell.Vm.Protocol.Messages;
        using OpenShell.Vm.Testing;

        switch (args[0])
        {
            case "start":
                await SayAsync(async () =>
                {
                    var options = new TestClusterOptions
                    {
                        Vcpus = 2, MemoryMib = 3072, Ports = [new PortForward { HostPort = 0, GuestPort = 30080 }], StartLimit = TimeSpan.FromMinutes(20),
                        Configure = config => config with { Distribution = "upstream" },
                    };
                    await using var cluster = await TestCluster.StartAsync(options);
                    using var nodes = JsonDocument.Parse(await cluster.Api.GetStringAsync("/api/v1/nodes"));
                    return $"{cluster.Name} has {nodes.RootElement.GetProperty("items").GetArrayLength()} node";
                });
                break;
            case "find":
                await SayAsync(async () =>
                    await new ImageBuilder(HostDirectories.FromEnvironment()).FindAsync(new ImageRequest { Mode = GuestMode.Cluster }) is { } images ? images.Key : "not built");
                break;
            case "fail":
                await SayAsync(() => Task.FromResult(new ExecOutput("false", 1, "", "no").EnsureSuccess().Stdout));
                break;
        }

        async Task SayAsync(Func<Task<string>> ask)
        {
            try
            {
                Console.WriteLine($"{args[0]}: {await ask()}");
            }
            catch (FaultException e)
            {
                Console.WriteLine($"{args[0]}: {e.Faults[0].Code}: {e.Faults[0].What} {e.Faults[0].Remedy}");
            }
        }
        """;

    /// <summary>Where its packages are unpacked.</summary>
    public string Packages { get; } = Path.Combine(root, "packages");

    /// <summary>What lies beside the program when it is built.</summary>
    public IEnumerable<string?> Libraries => Directory.EnumerateFiles(Output, "*.dll").Select(Path.GetFileName);

    private string Output => Path.Combine(root, "out");

    /// <summary>Builds it.</summary>
    /// <param name="made">The folder of this project's packages: nothing of this project is taken from anywhere else, and of all others what was restored already. Nobody is asked over a network.</param>
    /// <param name="version">The package's.</param>
    public async Task<Finished> BuildAsync(string made, string version)
    {
        File.Copy(Path.Combine(sdk.Root, "global.json"), Path.Combine(root, "global.json"));
        await File.WriteAllTextAsync(Path.Combine(root, "Program.cs"), Program);
        await File.WriteAllTextAsync(Path.Combine(root, "nuget.config"), $"""
            <configuration>
              <packageSources><clear /><add key="made" value="{made}" /><add key="others" value="{sdk.Packages}" /></packageSources>
              <packageSourceMapping>
                <clear />
                <packageSource key="made"><package pattern="OpenShell.*" /></packageSource>
                <packageSource key="others"><package pattern="*" /></packageSource>
              </packageSourceMapping>
            </configuration>
            """);
        await File.WriteAllTextAsync(Path.Combine(root, "consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <UseAppHost>false</UseAppHost>
                <NuGetAudit>false</NuGetAudit>
                <RestorePackagesPath>{Packages}</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="OpenShell.Vm.Testing" Version="{version}" />
              </ItemGroup>
            </Project>
            """);
        return await sdk.ShellAsync(root, $"dotnet build consumer.csproj --nologo -v quiet -m:1 -o '{Output}'", Limit);
    }

    /// <summary>Runs it, as a user whose folders are empty.</summary>
    /// <param name="what">What it is to do.</param>
    /// <param name="source">The clone that it is told of; <see langword="null"/>: of none.</param>
    /// <param name="emptyCache">Whether its image cache is its own; otherwise it is that of whoever runs this.</param>
    public async Task<string> RunAsync(string what, string? source = null, bool emptyCache = true)
    {
        var environment = new Dictionary<string, string?> { ["HOME"] = root, ["TMPDIR"] = root, ["OPENSHELL_VM_SOURCE"] = source, ["OPENSHELL_VM_GOLDEN"] = null };
        foreach (var folder in (string[])["CACHE_HOME", "DATA_HOME", "CONFIG_HOME", "RUNTIME_DIR"])
            environment["XDG_" + folder] = Path.Combine(root, folder);
        if (!emptyCache)
            environment["XDG_CACHE_HOME"] = Path.GetDirectoryName(HostDirectories.FromEnvironment().Cache);
        return (await HostProgram.RunAsync("dotnet", [Path.Combine(Output, "consumer.dll"), what], Limit, environment)).OrFail();
    }
}

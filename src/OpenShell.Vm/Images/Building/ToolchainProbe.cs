using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Building;

/// <summary>
/// Finds out which framework can be compiled natively here: net10.0 needs a run-time pack that not every package mirror has, net9.0 needs none
/// (but is out of support), and both are compiled from the same source.
/// </summary>
internal static class ToolchainProbe
{
    private const string Preferred = "net10.0";
    private const string Fallback = "net9.0";

    /// <summary>Restores an empty program as the guest and the gateway would be.</summary>
    public static async Task<ToolchainLock> RunAsync(CacheLayout layout, RecipeFacts facts, Tools tools, CancellationToken cancellationToken)
    {
        var sdk = (await tools.RunAsync(DotNet.Command(["--version"], layout.Root), cancellationToken).ConfigureAwait(false)).Trim();
        var folder = layout.WorkFolder("probe");
        HostFiles.DeleteFolder(folder);
        Directory.CreateDirectory(folder);

        // A file of their own keeps MSBuild from looking for this project's settings further up.
        await File.WriteAllTextAsync(Path.Combine(folder, "Directory.Build.props"), "<Project />", cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(folder, "probe.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>{Preferred}</TargetFramework>
                <RuntimeIdentifier>{facts.RuntimeIdentifier}</RuntimeIdentifier>
                <PublishAot>true</PublishAot>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup><FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup>
            </Project>
            """, cancellationToken).ConfigureAwait(false);
        try
        {
            await tools.RunAsync(DotNet.Command(["restore", "probe.csproj"], folder), cancellationToken).ConfigureAwait(false);
            return new ToolchainLock { Framework = Preferred, Sdk = sdk, Reason = $"the native AOT pack of {Preferred} restores" };
        }
        catch (ToolFailedException e)
        {
            return new ToolchainLock { Framework = Fallback, Sdk = sdk, Reason = $"the native AOT pack of {Preferred} does not restore: {e.Message}" };
        }
        finally
        {
            HostFiles.DeleteFolder(folder);
        }
    }
}

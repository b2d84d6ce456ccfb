namespace OpenShell.Vm.Images.Building;

/// <summary>The .NET SDK as a tool.</summary>
internal static class DotNet
{
    // Build servers would outlive the build, and hold its pipes open.
    private static readonly Dictionary<string, string?> Environment = new()
    {
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE"] = "1",
        // Set by 'dotnet run' and tests for their own build; they would mislead this one.
        ["MSBuildSDKsPath"] = null,
        ["MSBUILD_EXE_PATH"] = null,
        ["MSBuildExtensionsPath"] = null,
        ["DOTNET_HOST_PATH"] = null,
    };

    /// <summary>A command of the SDK, in a folder.</summary>
    public static ToolCommand Command(IReadOnlyList<string> arguments, string folder) => new() { Program = "dotnet", Arguments = arguments, Folder = folder, Environment = Environment };

    /// <summary>Publishes a project of a copied source tree as native code into <paramref name="output"/>.</summary>
    public static async Task PublishNativeAsync(BuildContext context, string project, IReadOnlyList<string> sources, string output, CancellationToken cancellationToken)
    {
        // A copy: the build must not disturb the one that a developer runs in the tree, and must see just what the content address covers.
        var (folder, guard) = await context.EnterWorkAsync(WorkName(context, project), cancellationToken).ConfigureAwait(false);
        using (guard)
        {
            context.Source.CopyTo(folder, sources);
            context.Note($"{context.Toolchain.Framework}: {context.Toolchain.Reason}");
            context.Progress.Running($"native code, {context.Toolchain.Framework}");
            await RunAsync(context, project, Command(
                [
                    "publish", project, "--configuration", "Release",
                    "--framework", context.Toolchain.Framework, "--runtime", context.Facts.RuntimeIdentifier, "--output", output,
                    // Only one framework is restored: the other one's packs may not be there.
                    $"-p:TargetFrameworks={context.Toolchain.Framework}",
                    // Style and analysis are for developers' builds; a newer SDK's new warnings must not stop this one.
                    "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false",
                    "-p:PublishAot=true", "-p:UseSharedCompilation=false", $"-p:PathMap={folder}=/src", "-p:GenerateDocumentationFile=false", "-p:EnforceCodeStyleInBuild=false",
                    .. context.Facts.IsForeign ? CrossOptions(context) : [],
                ],
                folder) with
            { Background = true }, cancellationToken).ConfigureAwait(false);
            context.NoteRestored(RestoredPackages.Read(Path.Combine(folder, "artifacts", "obj", Path.GetFileName(project), "project.assets.json")));
        }
    }

    // Object files of one processor are none of another's.
    private static string WorkName(BuildContext context, string project) =>
        "dotnet-" + Path.GetFileName(project) + (context.Facts.IsForeign ? "-" + context.Facts.Architecture : "");

    /// <summary>
    /// gcc for another processor in place of clang, which .NET prefers and which is one for all: it is told the processor by its name, and does not know the option that
    /// says it to clang. <c>SetupOSSpecificProps</c> is the target of the native compiler's package that lists the linker's options.
    /// </summary>
    private static string[] CrossOptions(BuildContext context)
    {
        var targets = Path.Combine(context.Scratch("cross"), "cross-gcc.targets");
        File.WriteAllText(targets, """
            <Project>
              <Target Name="GccIsNamedForItsProcessor" AfterTargets="SetupOSSpecificProps">
                <ItemGroup><LinkerArg Remove="--target=$(TargetTriple)" /></ItemGroup>
              </Target>
            </Project>
            """);
        return
        [
            "-p:CustomAfterMicrosoftCommonTargets=" + targets,
            $"-p:CppCompilerAndLinker={context.Facts.CrossPrefix}gcc", $"-p:ObjCopyName={context.Facts.CrossPrefix}objcopy",
        ];
    }

    private static async Task RunAsync(BuildContext context, string project, ToolCommand command, CancellationToken cancellationToken)
    {
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        try
        {
            await context.Tools.RunAsync(command, cancellationToken, onLine: line =>
            {
                if (MissingPack.Of(line) is { } pack)
                    missing.Add(pack);
            }).ConfigureAwait(false);
        }
        catch (ToolFailedException e) when (missing.Count > 0)
        {
            throw MissingPack.Fault(project, context.Facts, missing, context.Tools.LogFile, e);
        }
    }
}

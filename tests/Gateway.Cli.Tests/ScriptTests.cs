namespace OpenShell.Gateway.Cli.Tests;

/// <summary>The script <c>./gateway</c> of a clone, with a build that is made up.</summary>
public sealed class ScriptTests : IDisposable
{
    private readonly Harness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task It_tells_the_program_that_it_becomes_where_it_is_and_where_the_sources_are()
    {
        var clone = Path.Combine(_harness.Home, "my clone");
        Directory.CreateDirectory(Path.Combine(clone, "eng"));
        File.Copy(Path.Combine(Root(), "gateway"), Path.Combine(clone, "gateway"));
        File.Copy(Path.Combine(Root(), "eng", "macos.sh"), Path.Combine(clone, "eng", "macos.sh"));
        await WriteAsync(Path.Combine(clone, "eng", "build-cli.sh"), "build_cli() { program=$root/built/gateway; }\n");
        var program = Path.Combine(clone, "built", "gateway");
        await WriteAsync(program, "#!/bin/sh\nprintf '%s\\n' \"$OPENSHELL_VM_COMMAND\" \"$OPENSHELL_VM_SOURCE\" \"$*\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await WriteAsync(Path.Combine(clone, "built", "dotnet-root"), "/usr/share/dotnet\n");
        var link = Path.Combine(_harness.Home, "link");
        File.CreateSymbolicLink(link, Path.Combine(clone, "gateway"));

        var result = await _harness.RunAsync(link, ["__supervise", "default"], environment: e => e["OPENSHELL_VM_COMMAND"] = "/another");

        result.ShouldBe(new CommandResult(0, $"{clone}/gateway\n{clone}\n__supervise default\n", ""));
    }

    private static Task WriteAsync(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenShell.Vm.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not lie within the source tree.");
        return folder;
    }
}

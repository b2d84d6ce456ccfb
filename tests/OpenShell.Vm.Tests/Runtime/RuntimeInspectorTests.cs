using System.Text.Json;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Runtime;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Runtime;

public sealed class RuntimeInspectorTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly RuntimeInspector _inspector;

    public RuntimeInspectorTests() => _inspector = new RuntimeInspector(_folder.Directories);

    [Fact]
    public async Task A_file_beside_its_manifest_is_built_and_verified()
    {
        var path = await BuiltAsync("kernel", "the kernel");

        var part = await InspectAsync(path);

        part.Origin.ShouldBe(RuntimeOrigin.Built);
        part.Version.ShouldBe("6.12");
        part.Sha256.ShouldBe(await HostFiles.Sha256Async(path, TestContext.Current.CancellationToken));
        part.From.ShouldBe("built here: kernel/0123");
        part.Fault.ShouldBeNull();
    }

    [Fact]
    public async Task A_file_that_is_not_what_its_manifest_says_is_refused_also_when_it_was_right_before()
    {
        var path = await BuiltAsync("kernel", "the kernel");
        (await InspectAsync(path)).Fault.ShouldBeNull();

        await File.WriteAllTextAsync(path, "thy kernel", TestContext.Current.CancellationToken);

        var fault = (await InspectAsync(path)).Fault.ShouldNotBeNull();
        fault.Code.ShouldBe("runtime.mismatch");
        fault.What.ShouldContain(path);
        fault.What.ShouldContain("provenance.json");
    }

    [Fact]
    public async Task A_file_of_a_package_is_stock_as_long_as_it_is_as_the_package_delivered_it()
    {
        const string Dpkg = "/usr/bin/dpkg-query";
        Assert.SkipUnless(File.Exists(Dpkg), "this host has no dpkg");

        var part = await InspectAsync(Dpkg);

        part.Origin.ShouldBe(RuntimeOrigin.Stock);
        part.From.ShouldStartWith("Debian package dpkg 1.");
        part.Version.ShouldNotBeNull();
    }

    [Fact]
    public async Task Any_other_file_is_custom()
    {
        var path = Path.Combine(_folder.Path, "qemu-system-x86_64");
        await File.WriteAllTextAsync(path, "compiled at home", TestContext.Current.CancellationToken);

        var part = await InspectAsync(path);

        part.Origin.ShouldBe(RuntimeOrigin.Custom);
        part.Fault.ShouldBeNull();
        part.Sha256!.Length.ShouldBe(64);
    }

    [Fact]
    public async Task A_missing_file_is_a_fault_with_its_path()
    {
        var fault = (await InspectAsync("/nowhere/gvproxy")).Fault.ShouldNotBeNull();

        fault.Code.ShouldBe("runtime.missing");
        fault.What.ShouldContain("/nowhere/gvproxy");
    }

    public void Dispose() => _folder.Dispose();

    private Task<RuntimePart> InspectAsync(string path) => _inspector.InspectAsync("part", path, null, TestContext.Current.CancellationToken);

    private async Task<string> BuiltAsync(string name, string content)
    {
        var path = Path.Combine(_folder.Path, "artifact", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, content);
        var record = new ArtifactRecord
        {
            Kind = "kernel",
            Key = "0123",
            Version = "6.12",
            Inputs = [],
            Outputs = [new OutputFile(name, content.Length, await HostFiles.Sha256Async(path, TestContext.Current.CancellationToken))],
            Packages = [],
            Commands = [],
            Tools = new Dictionary<string, string>(),
            BuiltAt = DateTimeOffset.UnixEpoch,
            Duration = TimeSpan.Zero,
        };
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "artifact", CacheLayout.RecordFile), JsonSerializer.SerializeToUtf8Bytes(record, CacheJson.Default.ArtifactRecord));
        return path;
    }
}

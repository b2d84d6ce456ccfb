using OpenShell.Vm.Boot.Tests.K3s;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Usage;

/// <summary>
/// What is given along to a cluster and is not what it should be: named with what to do, before anything is made. That an instance which is there keeps all it has is in
/// <see cref="Conformance.RestartConformance"/>; what can be wrong with each kind of file, in the library's own tests.
/// </summary>
public sealed class BadWorkloadTests : IDisposable
{
    private readonly TestHome _home = new();
    private readonly DirectoryInfo _given = Directory.CreateTempSubdirectory("ovg-");

    public void Dispose()
    {
        _home.Dispose();
        _given.Delete(recursive: true);
    }

    [Fact]
    public async Task A_chart_that_is_missing_is_said() =>
        Told(await UpAsync("--chart", Path.Combine(_given.FullName, "none-1.0.0.tgz")), 2, "none-1.0.0.tgz: there is no such file", "Check the path.");

    [Fact]
    public async Task A_chart_that_is_cut_off_is_said() =>
        Told(await UpAsync("--chart", Write("cut-1.0.0.tgz", TestChart.Pack("cut", TestChart.Template).AsSpan(0, 40))), 2, "it is no tar.gz, or is cut off", "helm package");

    [Fact]
    public async Task A_manifest_that_does_not_parse_is_said_with_its_line() =>
        Told(await UpAsync("--manifests", Write("broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n"u8)), 2, "broken.yaml, line ", "Correct the file");

    [Fact]
    public async Task An_image_archive_that_is_none_is_said() =>
        Told(await UpAsync("--images", Write("none.tar", new byte[4096])), 2, "none.tar is no archive of container images", "docker save");

    [Fact]
    public async Task A_k3s_for_another_processor_is_said()
    {
        // An ELF header as far as it says for which: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html (e_machine, here of S/390)
        var header = new byte[64];
        "\x7f\x45LF\x02\x01\x01"u8.CopyTo(header);
        header[0x12] = 22;

        Told(await UpAsync("--k3s-binary", Write("k3s", header)), 2, "is a program for another processor", "Take the file of the release that is for");
    }

    [Fact]
    public async Task A_k3s_that_is_no_program_is_said() =>
        Told(await UpAsync("--k3s-binary", Write("k3s", "<html>not found</html>"u8)), 2, "is not a 64-bit Linux program", "as its release page has it");

    private Task<Finished> UpAsync(params string[] options) => new GatewayCli(_home).RunAsync(["up", "--detach", "--distribution", "k3s", .. options]);

    private string Write(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(_given.FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private void Told(Finished run, int code, string said, string remedy)
    {
        run.ExitCode.ShouldBe(code, run.ToString());
        run.Err.ShouldContain(said, Case.Sensitive, run.ToString());
        run.Err.ShouldContain("remedy:");
        run.Err.ShouldContain(remedy, Case.Sensitive, run.ToString());
        run.Err.ShouldNotContain("   at ");
        run.Out.ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(_home.Home).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(_home.Config).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(_home.Data).ShouldBeEmpty();
        Leftovers.Of(_home).ShouldBeEmpty();
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Tests.Images;

public sealed class GivenK3sTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("amd64", 62)]
    [InlineData("arm64", 183)]
    public async Task A_program_for_the_machine_is_taken_with_the_archive_beside_it(string architecture, int machine)
    {
        var program = Program(machine);
        _folder.Write($"k3s-airgap-images-{architecture}.tar.zst", "images");

        var given = await GivenK3s.ReadAsync(program, architecture, Token);

        given.Sha256.Length.ShouldBe(64);
        given.Images.ShouldBe(_folder.File($"k3s-airgap-images-{architecture}.tar.zst"));
        given.ImagesSha256.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("amd64", 183, "arm64")]
    [InlineData("arm64", 62, "k3s-arm64")]
    [InlineData("amd64", 8, "ELF machine 8")]
    public async Task One_for_another_processor_is_refused_by_name(string architecture, int machine, string said)
    {
        var fault = await FaultAsync(Program(machine), architecture);

        fault.Code.ShouldBe("image.k3s-wrong-architecture");
        (fault.What + fault.Remedy).ShouldContain(said);
    }

    [Fact]
    public async Task A_script_is_no_program() => (await FaultAsync(_folder.Write("k3s", "#!/bin/sh\necho k3s version v1\n"))).Code.ShouldBe("image.k3s-not-a-program");

    [Fact]
    public async Task One_that_is_not_there_is_said() => (await FaultAsync(_folder.File("nothing"))).Code.ShouldBe("image.k3s-missing");

    [Fact]
    public async Task Another_program_or_another_archive_is_another_artifact()
    {
        var program = Program(62);
        var keys = new List<string> { Key(null), Key(await GivenK3s.ReadAsync(program, "amd64", Token)) };
        _folder.Write("k3s-airgap-images-amd64.tar.zst", "images");
        keys.Add(Key(await GivenK3s.ReadAsync(program, "amd64", Token)));
        await File.AppendAllTextAsync(program, "x", Token);
        keys.Add(Key(await GivenK3s.ReadAsync(program, "amd64", Token)));

        keys.Distinct().Count().ShouldBe(4);
        Key(await GivenK3s.ReadAsync(program, "amd64", Token)).ShouldBe(keys[3]);
    }

    [Theory]
    [InlineData("k3s version v1.34.2+k3s1 (abcdef12)", "k3s v1.34.2+k3s1")]
    [InlineData("k3s stand-in (Kubernetes 1.20.2)", "k3s stand-in (Kubernetes 1.20.2)")]
    [InlineData("", "k3s of unknown version")]
    public void It_is_called_what_it_says_it_is(string line, string shown) => K3sRecipe.Describe(line).ShouldBe(shown);

    private string Key(GivenK3s? given)
    {
        var facts = new RecipeFacts(new SourceTree(_folder.Path), "amd64") { K3s = given };
        return new Keys(new RecipeCatalog([new K3sRecipe()]), facts, new Locks(new CacheLayout(_folder.File("cache")))).Plan(K3sRecipe.Name)!.Key;
    }

    // As much of an ELF header as says what it is: class 64, little-endian, e_machine at 0x12.
    private string Program(int machine)
    {
        var header = new byte[64];
        "\x7f\x45LF\x02\x01\x01"u8.CopyTo(header);
        header[0x12] = (byte)machine;
        File.WriteAllBytes(_folder.File("k3s"), header);
        return _folder.File("k3s");
    }

    private static async Task<Fault> FaultAsync(string path, string architecture = "amd64") =>
        (await Should.ThrowAsync<FaultException>(() => GivenK3s.ReadAsync(path, architecture, Token))).Faults[0];
}

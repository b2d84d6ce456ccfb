using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Tests.Images.Building;

public sealed class KeysTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public KeysTests()
    {
        foreach (var file in (string[])["src/A/Program.cs", "src/A/A.csproj", "images/list"])
            _folder.Write("tree/" + file, "content of " + file);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_same_tree_has_the_same_address_wherever_it_lies()
    {
        var before = KeyOf("top");
        Directory.Move(_folder.File("tree"), _folder.File("moved"));
        KeyOf("top", "moved").ShouldBe(before);
    }

    [Theory]
    [InlineData("src/A/Program.cs")]
    [InlineData("src/A/New.cs")]
    [InlineData("images/list")]
    public void A_changed_or_new_source_changes_the_address_of_all_that_it_goes_into(string file)
    {
        var (bottom, top) = (KeyOf("bottom"), KeyOf("top"));
        _folder.Write("tree/" + file, "changed");
        KeyOf("bottom").ShouldNotBe(bottom);
        KeyOf("top").ShouldNotBe(top);
    }

    [Theory]
    [InlineData("src/A/README.md")]
    [InlineData("src/A/bin/A.dll")]
    [InlineData("src/A/obj/project.assets.json")]
    [InlineData("src/B/Other.cs")]
    public void What_does_not_go_in_does_not_change_it(string file)
    {
        var before = KeyOf("top");
        _folder.Write("tree/" + file, "whatever");
        KeyOf("top").ShouldBe(before);
    }

    [Fact]
    public void Another_architecture_is_another_address() => KeyOf("top", architecture: "arm64").ShouldNotBe(KeyOf("top"));

    [Fact]
    public async Task Packages_count_by_version_and_hash_and_unresolved_ones_have_no_address()
    {
        KeyOf("packaged").ShouldBeNull();
        await LockAsync("1.0", "aa");
        var first = KeyOf("packaged").ShouldNotBeNull();
        await LockAsync("1.0", "aa");
        KeyOf("packaged").ShouldBe(first, "when it was resolved does not count");
        await LockAsync("1.1", "aa");
        KeyOf("packaged").ShouldNotBe(first);
        await LockAsync("1.0", "bb");
        KeyOf("packaged").ShouldNotBe(first);
    }

    private Task LockAsync(string version, string hash) => new Locks(new CacheLayout(_folder.File("cache"))).WriteAsync(
        PackagedRecipe.Request,
        new PackageLock
        {
            Suite = "bookworm",
            ResolvedAt = DateTimeOffset.UtcNow,
            Packages = [new PinnedPackage { Name = "thing", Version = version, Architecture = "amd64", Sha256 = hash, Size = 1 }],
        },
        TestContext.Current.CancellationToken);

    private string? KeyOf(string kind, string tree = "tree", string architecture = "amd64")
    {
        var catalog = new RecipeCatalog(
        [
            new TestRecipe("bottom", "x") { SourceFiles = ["src/A", "images/list"] },
            new TestRecipe("top", "x", null, "bottom"),
            new PackagedRecipe(),
        ]);
        return new Keys(catalog, new RecipeFacts(new SourceTree(_folder.File(tree)), architecture), new Locks(new CacheLayout(_folder.File("cache")))).Plan(kind)?.Key;
    }

    private sealed class PackagedRecipe : Recipe
    {
        public static PackageRequest Request => new() { Name = "packaged", Suite = "bookworm", Packages = ["thing"], Scope = PackageScope.Alone, Architecture = "amd64" };

        public override string Kind => "packaged";

        public override string Title => Kind;

        public override int Revision => 1;

        public override long SpaceNeeded => 0;

        public override PackageRequest Packages(RecipeFacts facts) => Request;

        public override Task<string> BuildAsync(BuildContext context, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

using System.Net;
using System.Security.Cryptography;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Tests.Images.Debian;

public sealed class PackageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LocalRepository _mirror;
    private readonly PackageStore _store;

    public PackageTests()
    {
        if (OpenShell.Vm.Images.Host.RuntimeTools.FindProgram("apt-get") is null)
            Assert.Skip("this host has no apt");
        _mirror = new LocalRepository(_folder);
        _store = new PackageStore(new CacheLayout(_folder.File("cache")));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_system_is_resolved_to_essential_packages_and_all_dependencies()
    {
        await _mirror.AddAsync("base", "1:2.0-1", "Essential: yes\n");
        await _mirror.AddAsync("library", "3.1");
        await _mirror.AddAsync("extra", "1.0");
        await _mirror.AddAsync("tool", "1.0", "Depends: library (>= 3)\nRecommends: extra\n");
        await _mirror.PublishAsync();

        var locked = await ResolveAsync(PackageScope.System, "tool");

        locked.Packages.Select(p => $"{p.Name} {p.Version}").Order().ShouldBe(["base 1:2.0-1", "library 3.1", "tool 1.0"]);
    }

    [Fact]
    public async Task A_pointer_to_a_versioned_package_is_resolved_to_both_without_dependencies()
    {
        await _mirror.AddAsync("linux-image-6.1.0-9-cloud-amd64", "6.1.9", "Depends: kmod\n");
        await _mirror.AddAsync("kmod", "30");
        await _mirror.AddAsync("linux-image-cloud-amd64", "6.1.9", "Depends: linux-image-6.1.0-9-cloud-amd64\n");
        await _mirror.PublishAsync();

        var locked = await ResolveAsync(PackageScope.Alone, "linux-image-cloud-amd64");

        locked.Packages.Select(p => p.Name).Order().ShouldBe(["linux-image-6.1.0-9-cloud-amd64", "linux-image-cloud-amd64"]);
    }

    [Fact]
    public async Task Packages_are_fetched_once_under_the_hash_that_the_lists_promised()
    {
        var file = await _mirror.AddAsync("tool", "1:1.0");
        await _mirror.PublishAsync();
        var locked = await ResolveAsync(PackageScope.Alone, "tool");

        await _store.FetchAsync(locked, _mirror.Apt(), _mirror.Tools, null, Token);

        var package = locked.Packages.ShouldHaveSingleItem();
        Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file, Token))).ShouldBe(package.Sha256);
        (await File.ReadAllBytesAsync(_store.PathOf(package), Token)).ShouldBe(await File.ReadAllBytesAsync(file, Token));

        Directory.Delete(_mirror.Root, recursive: true);
        await _store.FetchAsync(locked, _mirror.Apt(), _mirror.Tools, null, Token);
    }

    [Fact]
    public async Task Two_fetches_at_once_do_not_disturb_each_other()
    {
        await _mirror.AddAsync("one", "1.0");
        await _mirror.AddAsync("two", "1.0");
        await _mirror.PublishAsync();
        var (one, two) = (await ResolveAsync(PackageScope.Alone, "one"), await ResolveAsync(PackageScope.Alone, "two"));

        await Task.WhenAll(
            _store.FetchAsync(one, _mirror.Apt(), _mirror.Tools, (_, _) => { }, Token),
            _store.FetchAsync(two, _mirror.Apt(), _mirror.Tools, (_, _) => { }, Token));

        File.Exists(_store.PathOf(one.Packages[0])).ShouldBeTrue();
        File.Exists(_store.PathOf(two.Packages[0])).ShouldBeTrue();
        Directory.EnumerateDirectories(_folder.File("cache/packages")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_is_not_what_the_lists_promised_is_refused()
    {
        var file = await _mirror.AddAsync("tool", "1.0");
        await _mirror.PublishAsync();
        var locked = await ResolveAsync(PackageScope.Alone, "tool");
        var bytes = await File.ReadAllBytesAsync(file, Token);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Token);

        await Should.ThrowAsync<FaultException>(() => _store.FetchAsync(locked, _mirror.Apt(), _mirror.Tools, null, Token));

        File.Exists(_store.PathOf(locked.Packages[0])).ShouldBeFalse();
    }

    [Fact]
    public async Task A_version_that_the_mirror_forgot_asks_for_a_refresh()
    {
        var old = await _mirror.AddAsync("tool", "1.0");
        await _mirror.PublishAsync();
        var locked = await ResolveAsync(PackageScope.Alone, "tool");
        _mirror.Remove(old);
        File.Delete(old);
        await _mirror.AddAsync("tool", "1.1");
        await _mirror.PublishAsync();

        var fault = (await Should.ThrowAsync<FaultException>(() => _store.FetchAsync(locked, _mirror.Apt(), _mirror.Tools, null, Token))).Faults[0];

        fault.Code.ShouldBe("image.package-gone");
        fault.Remedy.ShouldContain("--refresh");
    }

    [Fact]
    public async Task A_mirror_that_does_not_answer_is_a_fault_with_a_remedy()
    {
        var fault = (await Should.ThrowAsync<FaultException>(() => _mirror.Apt().UpdateAsync(_mirror.Tools, Token))).Faults[0];
        fault.Code.ShouldBe("image.mirror-unreachable");
        fault.Remedy.ShouldContain("apt-get update");
        File.Exists(fault.Log).ShouldBeTrue();
    }

    [Fact]
    public async Task The_newest_source_package_is_pinned_with_each_of_its_files()
    {
        _mirror.AddSource("kube", "1.9.0-1", ("kube_1.9.0-1.dsc", "old"));
        _mirror.AddSource("kube", "1.20.5+really1.20.2-1", ("kube_1.20.5+really1.20.2-1.dsc", "description"), ("kube_1.20.5+really1.20.2.orig.tar.gz", "sources"));
        await _mirror.PublishAsync();
        var locked = await ResolveAsync(PackageScope.Source, "kube");

        await _store.FetchAsync(locked, _mirror.Apt(), _mirror.Tools, null, Token);

        locked.Packages.Select(p => p.Version).Distinct().ShouldBe(["1.20.5+really1.20.2-1"]);
        locked.Packages.Select(p => File.ReadAllText(_store.PathOf(p))).ShouldBe(["description", "sources"]);
    }

    [Fact]
    public async Task The_pinned_repository_is_one_that_apt_installs_from()
    {
        await _mirror.AddAsync("base", "1.0", "Essential: yes\n");
        await _mirror.AddAsync("tool", "1:1.0+b1", "Depends: base\n");
        await _mirror.PublishAsync();
        var locked = await ResolveAsync(PackageScope.System, "tool");
        await _store.FetchAsync(locked, _mirror.Apt(), _mirror.Tools, null, Token);
        await using var repository = await PinnedRepository.StartAsync(locked, _store, _mirror.Tools, Token);

        var state = Directory.CreateDirectory(_folder.File("client/lists/partial")).Parent!.FullName;
        Directory.CreateDirectory(_folder.File("client/archives/partial"));
        var sources = _folder.Write("client/sources.list", $"deb [trusted=yes] {repository.Address} ./\n");
        string[] options = ["-o", $"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=/dev/null", "-o", $"Dir::State::Lists={state}", "-o", $"Dir::State::status={_folder.Write("client/status", "")}", "-o", $"Dir::Cache={_folder.File("client")}", "-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Proxy=DIRECT"];
        await HostTool.RunAsync("apt-get", [.. options, "update"]);
        await HostTool.RunAsync("apt-get", [.. options, "install", "--yes", "--download-only", "?essential", "tool"]);
        Directory.EnumerateFiles(_folder.File("client/archives"), "*.deb").Count().ShouldBe(2);
        repository.Served.ShouldBe(2);
        using var client = new HttpClient();
        (await client.GetAsync(new Uri(repository.Address + "../../etc/passwd"), Token)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("linux-image-6.1.0-56-cloud-amd64", "linux-image-cloud-amd64", true)]
    [InlineData("linux-image-6.1.0-56-amd64", "linux-image-cloud-amd64", false)]
    [InlineData("kmod", "linux-image-cloud-amd64", false)]
    public void Versioned_packages_are_told_from_others(string package, string asked, bool expected) => PackageResolver.IsVersionOf(package, asked).ShouldBe(expected);

    private async Task<PackageLock> ResolveAsync(PackageScope scope, params string[] packages)
    {
        var apt = _mirror.Apt();
        await apt.UpdateAsync(_mirror.Tools, Token);
        var request = new PackageRequest { Name = "test", Suite = "bookworm", Packages = packages, Scope = scope, Architecture = "amd64" };
        return await PackageResolver.ResolveAsync(request, apt, _mirror.Tools, Token);
    }
}

using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Registry;

namespace OpenShell.Vm.Tests.Images.Registry;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("debian", "docker.io/library/debian:latest", "https://registry-1.docker.io/")]
    [InlineData("debian:12", "docker.io/library/debian:12", "https://registry-1.docker.io/")]
    [InlineData("someone/thing", "docker.io/someone/thing:latest", "https://registry-1.docker.io/")]
    [InlineData("docker.io/debian:12", "docker.io/library/debian:12", "https://registry-1.docker.io/")]
    [InlineData("index.docker.io/library/debian", "docker.io/library/debian:latest", "https://registry-1.docker.io/")]
    [InlineData("ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1", "https://ghcr.io/")]
    [InlineData("registry.test:5000/a", "registry.test:5000/a:latest", "https://registry.test:5000/")]
    [InlineData("localhost/a:1", "localhost/a:1", "http://localhost/")]
    [InlineData("localhost:5000/a", "localhost:5000/a:latest", "http://localhost:5000/")]
    [InlineData("127.0.0.1:5000/base:1", "127.0.0.1:5000/base:1", "http://127.0.0.1:5000/")]
    [InlineData("[::1]:5000/base", "[::1]:5000/base:latest", "http://[::1]:5000/")]
    [InlineData("http://registry.test/a:1", "http://registry.test/a:1", "http://registry.test/")]
    [InlineData("https://127.0.0.1:5000/a:1", "https://127.0.0.1:5000/a:1", "https://127.0.0.1:5000/")]
    [InlineData("http://plain/a", "http://plain/a:latest", "http://plain/")]
    [InlineData("debian@" + Digest, "docker.io/library/debian@" + Digest, "https://registry-1.docker.io/")]
    [InlineData("debian:12@" + Digest, "docker.io/library/debian:12@" + Digest, "https://registry-1.docker.io/")]
    [InlineData("a__b-c/e.f", "docker.io/a__b-c/e.f:latest", "https://registry-1.docker.io/")]
    public void A_reference_is_read_as_users_of_Docker_expect(string text, string whole, string registry)
    {
        ImageReference.TryParse(text, out var reference, out _).ShouldBeTrue();
        reference!.ToString().ShouldBe(whole);
        reference.Registry.ToString().ShouldBe(registry);
        ImageReference.TryParse(whole, out var again, out _).ShouldBeTrue();
        again.ShouldBe(reference);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Debian")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("/a")]
    [InlineData("a:")]
    [InlineData("a:b c")]
    [InlineData("a@sha256:123")]
    [InlineData("a@md5:0123456789abcdef0123456789abcdef")]
    [InlineData("http://only-a-host")]
    [InlineData("user:password@host.test/a")]
    [InlineData("host.test/../a")]
    [InlineData("host.test:port/a")]
    [InlineData("a..b")]
    [InlineData("-a")]
    [InlineData("a\n")]
    public void What_is_no_reference_is_refused_with_a_reason(string text)
    {
        ImageReference.TryParse(text, out _, out var why).ShouldBeFalse();
        why.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("oci:/images/base", "oci:/images/base")]
    [InlineData("oci:/images/base:12", "oci:/images/base:12")]
    [InlineData("oci-archive:/b.tar:12", "oci-archive:/b.tar:12")]
    [InlineData("docker-archive:/b.tar:debian:12", "oci-archive:/b.tar:debian:12")]
    [InlineData("/images/base.tar", "oci-archive:/images/base.tar")]
    [InlineData("/images/base", "oci-archive:/images/base")]
    [InlineData("docker://debian:12", "docker.io/library/debian:12")]
    [InlineData("docker://base.tar", "docker.io/library/base.tar:latest")]
    [InlineData("none", "none")]
    [InlineData("Not An Image", "Not An Image")]
    public void A_place_is_written_as_skopeos_users_write_it(string text, string normal)
    {
        BaseImageSource.Normal(text).ShouldBe(normal);
        BaseImageSource.Normal(normal).ShouldBe(normal);
    }

    [Fact]
    public void Relative_paths_are_of_the_working_folder() =>
        BaseImageSource.Normal("base.tar").ShouldBe("oci-archive:" + Path.GetFullPath("base.tar"));

    [Fact]
    public void What_names_no_image_is_a_mistake_of_the_users()
    {
        var fault = Should.Throw<FaultException>(() => BaseImageSource.Parse("Debian:12")).Faults[0];

        fault.IsUsage.ShouldBeTrue();
        fault.What.ShouldContain("Debian:12");
        fault.Remedy.ShouldContain("oci:FOLDER");
    }
}

using OpenShell.Vm.Bundles;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Tests.Bundles;

/// <summary>A manifest with good hashes may still be made by an enemy.</summary>
public sealed class BundleRulesTests
{
    private static readonly BundlePart Root = Part("kernel/k1/kernel", "kernel/k1", "kernel");

    private static readonly BundleManifest Sound = new()
    {
        FormatVersion = 1,
        CreatedBy = "gateway 1.0.0",
        Architecture = "amd64",
        Start = new BundleStart { ImageSet = "set", Distribution = "upstream", Kernel = "kernel/k1/kernel", Root = "kernel/k1/kernel", Gvproxy = "kernel/k1/kernel" },
        Requirements = [new BundleRequirement("qemu-system-x86", null, null, "runs machines")],
        Parts = [Root],
    };

    public static TheoryData<string, BundleManifest> Broken => new()
    {
        { "what it starts", Sound with { Start = Sound.Start with { Kernel = null! } } },
        { "what it starts", Sound with { Start = Sound.Start with { Root = null! } } },
        { "what it starts", Sound with { Start = Sound.Start with { Gvproxy = null! } } },
        { "what it starts", Sound with { Start = Sound.Start with { ImageSet = null! } } },
        { "what it starts", Sound with { Start = Sound.Start with { Distribution = null! } } },
        { "what it starts", Sound with { Start = Sound.Start with { Manifests = [null!] } } },
        { "what it starts", Sound with { Start = Sound.Start with { Images = [null!] } } },
        { "what it starts", Sound with { Start = Sound.Start with { Charts = [null!] } } },
        { "no such part", Sound with { Start = Sound.Start with { Initramfs = "other/k/file" } } },
        { "of the host", Sound with { Requirements = [null!] } },
        { "of the host", Sound with { Requirements = [new BundleRequirement(null!, null, null, "why")] } },
        { "a part lacks", Sound with { Parts = [null!] } },
        { "control characters", Sound with { Parts = [Root with { Name = "\e[2Jkernel" }] } },
        { "control characters", Sound with { Parts = [Root with { From = "a\ab" }] } },
        { "control characters", Sound with { Architecture = "amd64\e[31m" } },
        { "control characters", Sound with { CreatedBy = "a\nb" } },
        { "control characters", Sound with { Start = Sound.Start with { DistributionVersion = "1\r" } } },
        { "cannot have", Sound with { Parts = [Root, Part(BundleNames.Sbom) with { Size = 8L << 30 }] } },
        { "cannot have", Sound with { Parts = [Root, Part("artifacts/kernel/k1/record", "kernel/k1", CacheLayout.RecordFile) with { Size = 65 << 20 }] } },
        { "cannot have", Sound with { Parts = [Root, Part(BundleNames.Provenance("kernel/k2")) with { Size = 65 << 20 }] } },
        { "leaves its folder", Sound with { Parts = [Root, Part("../outside")] } },
    };

    [Fact]
    public void A_sound_one_breaks_none() => BundleRules.FirstBroken(Sound).ShouldBeNull();

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_cannot_be_used_is_told_and_not_tried(string why, BundleManifest manifest) => BundleRules.FirstBroken(manifest).ShouldNotBeNull().ShouldContain(why);

    private static BundlePart Part(string path, string? artifact = null, string? file = null) =>
        new() { Name = path, Path = path, Size = 1, Sha256 = new string('0', 64), Artifact = artifact, File = file };
}

using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Images.Building;

public sealed class MissingPackTests
{
    // As NuGet says it.
    [Theory]
    [InlineData("/w/a.csproj : error NU1102: Unable to find package Microsoft.NETCore.App.Runtime.linux-arm64 with version (= 9.0.20)", "Microsoft.NETCore.App.Runtime.linux-arm64 9.0.20")]
    [InlineData("/w/a.csproj : error NU1102: Unable to find package runtime.linux-arm64.Microsoft.DotNet.ILCompiler with version (>= 10.0.12)", "runtime.linux-arm64.Microsoft.DotNet.ILCompiler 10.0.12")]
    [InlineData("/w/a.csproj : error NU1101: Unable to find package Some.Pack. No packages exist with this id in source(s): nuget.org", "Some.Pack")]
    [InlineData("/w/a.csproj : error NU1102:   - Found 1 version(s) in nuget.org [ Nearest version: 10.0.12 ]", null)]
    [InlineData("  Restored /w/a.csproj (in 220 ms).", null)]
    public void A_restore_says_what_is_missing(string line, string? pack) => MissingPack.Of(line).ShouldBe(pack);

    [Fact]
    public async Task All_that_needs_no_pack_is_built_and_the_fault_says_so()
    {
        var other = Architectures.All.First(a => a != Architectures.Host);
        using var images = new ImageFixture(
        [
            new TestRecipe(KernelRecipe.Name, KernelRecipe.Image),
            new TestRecipe(GuestRecipe.Name, GuestRecipe.Program, (context, _) => throw MissingPack.Fault("src/Guest", context.Facts, ["Some.Pack 1.0"], "log", new InvalidOperationException())) { IsDotNet = true },
            new TestRecipe(InitramfsRecipe.Name, InitramfsRecipe.Archive, null, KernelRecipe.Name, GuestRecipe.Name),
            new TestRecipe(KubernetesRecipe.Name, KubernetesRecipe.Program),
            new TestRecipe(RootRecipe.ClusterName, RootRecipe.Image, null, KubernetesRecipe.Name, GuestRecipe.Name),
        ]);
        await new Locks(images.Layout).WriteAsync(
            new RecipeFacts(new SourceTree(images.Folder.File("source")), other), new ToolchainLock { Framework = "net10.0", Sdk = "10.0", Reason = "" }, TestContext.Current.CancellationToken);

        var fault = (await Should.ThrowAsync<OpenShell.Vm.Faults.FaultException>(
            () => images.Builder().EnsureAsync(new ImageRequest { Mode = GuestMode.Cluster, Architecture = other }, null, TestContext.Current.CancellationToken))).Faults[0];

        fault.Code.ShouldBe(MissingPack.Code);
        fault.What.ShouldContain("Some.Pack 1.0");
        fault.What.ShouldEndWith("Everything else was built: kernel, kubernetes.");
        fault.Remedy.ShouldContain("--without-guest");
        (await images.Builder().ListAsync(TestContext.Current.CancellationToken)).Select(a => a.Kind).ShouldBe([KernelRecipe.Name, KubernetesRecipe.Name], ignoreOrder: true);
        images.Recipes.Single(r => r.Kind == RootRecipe.ClusterName).Builds.ShouldBe(0);
    }
}

using System.Text;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>Images that come while the cluster runs.</summary>
public abstract class ImageConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task An_image_is_loaded_into_the_running_cluster_and_pods_run_of_it()
    {
        var reference = $"localhost/{Space}:1";
        (await TestImage.LoadAsync(Cluster, reference, new ImageFile("mark", Encoding.ASCII.GetBytes(Space)))).ShouldContain(reference);

        await CreateAsync(Pod("late", "cat /mark", "  restartPolicy: Never").Replace(Image, reference, StringComparison.Ordinal));
        await SucceededAsync("late");

        (await LogAsync("late")).ShouldBe(Space);
    }
}

using OpenShell.Vm.Guest.Boot;

namespace OpenShell.Vm.Guest.Tests.Boot;

public sealed class ModuleLoaderTests
{
    [Fact]
    public void A_list_is_read_in_its_order_without_comments_and_empty_lines() =>
        ModuleLoader.Parse("# needed for the root\n6.1/virtio.ko\n\n  6.1/virtio_blk.ko \n", "/lib/modules").ShouldBe(["/lib/modules/6.1/virtio.ko", "/lib/modules/6.1/virtio_blk.ko"]);

    [Fact]
    public void Absolute_paths_stay_as_they_are() =>
        ModuleLoader.Parse("/lib/modules/6.1/veth.ko", "/").ShouldBe(["/lib/modules/6.1/veth.ko"]);

    [Fact]
    public void A_module_that_is_not_there_is_named_with_the_reason() =>
        ModuleLoader.LoadAll(["/nowhere/virtio.ko"]).ShouldBe(["/nowhere/virtio.ko: No such file or directory (2)"]);
}

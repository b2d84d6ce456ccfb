using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Tests.Images.Formats;

public sealed class ModuleDependenciesTests
{
    private static readonly ModuleDependencies Modules = new(
    [
        "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko",
        "kernel/drivers/virtio/virtio_ring.ko:",
        "kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko",
        "kernel/drivers/char/hw_random/virtio-rng.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko",
    ], ["kernel/fs/ext4/ext4.ko", "kernel/drivers/char/hw_random/rng-core.ko"]);

    [Fact]
    public void What_a_module_needs_comes_before_it() =>
        Modules.LoadOrder(["virtio_blk"]).ShouldBe(["kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko", "kernel/drivers/block/virtio_blk.ko"]);

    [Fact]
    public void Each_module_is_loaded_once() =>
        Modules.LoadOrder(["virtio_blk", "virtio_rng", "virtio"]).ShouldBeUnique();

    [Fact]
    public void Dashes_and_underscores_name_the_same_module() =>
        Modules.LoadOrder(["virtio_rng"])[^1].ShouldBe(Modules.LoadOrder(["virtio-rng"])[^1]);

    [Fact]
    public void What_is_built_in_is_left_out() => Modules.LoadOrder(["ext4", "rng-core"]).ShouldBeEmpty();

    [Fact]
    public void A_module_that_the_kernel_lacks_is_named() =>
        Should.Throw<KeyNotFoundException>(() => Modules.LoadOrder(["nosuch"])).Message.ShouldContain("nosuch");
}

using OpenShell.Vm.Guest.Boot;

namespace OpenShell.Vm.Guest.Tests.Boot;

public sealed class BlockDevicesTests : IDisposable
{
    private readonly TemporaryFolder _sys = new();

    public void Dispose() => _sys.Dispose();

    [Fact]
    public void A_disk_is_found_by_its_serial_whatever_its_letter()
    {
        Add("vda", "openshell-state");
        Add("vdb", "openshell-root");
        BlockDevices.Find("openshell-root", _sys.Path).ShouldBe("/dev/vdb");
        BlockDevices.Find("openshell-state", _sys.Path).ShouldBe("/dev/vda");
    }

    [Fact]
    public void A_serial_must_match_as_a_whole()
    {
        Add("vda", "openshell-root-2");
        BlockDevices.Find("openshell-root", _sys.Path).ShouldBeNull();
    }

    [Fact]
    public void Disks_without_a_serial_and_of_other_kinds_are_passed_over()
    {
        Directory.CreateDirectory(_sys.File("vda"));
        Add("sda", "openshell-root");
        BlockDevices.Find("openshell-root", _sys.Path).ShouldBeNull();
        BlockDevices.Describe(_sys.Path).ShouldBe("sda (serial 'openshell-root'), vda (serial '')");
    }

    [Fact]
    public void Where_serials_are_the_hypervisors_own_the_order_tells()
    {
        Add("vda", "64769012345");
        Add("vdb", "64769012346");
        string[] names = ["openshell-root", "openshell-state"];
        BlockDevices.Find("openshell-root", _sys.Path, names).ShouldBe("/dev/vda");
        BlockDevices.Find("openshell-state", _sys.Path, names).ShouldBe("/dev/vdb");
        BlockDevices.Find("openshell-third", _sys.Path, names).ShouldBeNull();
        BlockDevices.Find("openshell-third", _sys.Path, [.. names, "openshell-third"]).ShouldBeNull("there are only two");
    }

    [Fact]
    public void A_serial_that_matches_counts_for_more_than_the_order()
    {
        Add("vda", "openshell-state");
        Add("vdb", "openshell-root");
        BlockDevices.Find("openshell-root", _sys.Path, ["openshell-root", "openshell-state"]).ShouldBe("/dev/vdb");
    }

    private void Add(string name, string serial)
    {
        Directory.CreateDirectory(_sys.File(name));
        File.WriteAllText(_sys.File(name + "/serial"), serial + "\n");
    }
}

using OpenShell.Vm.Guest.Cluster.Volumes;

namespace OpenShell.Vm.Guest.Tests.Cluster.Volumes;

public sealed class VolumeFoldersTests : IDisposable
{
    private const string Name = "pvc-11111111-2222-3333-4444-555555555555";

    private readonly TemporaryFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    private VolumeFolders Folders => new(folder =>
    {
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }, _temporary.File("volumes"));

    [Fact]
    public async Task A_folder_is_for_pods_of_any_user_in_one_that_is_for_root()
    {
        Folders.Make(Name);
        Folders.Make(Name);

        File.GetUnixFileMode(_temporary.File("volumes")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.GetUnixFileMode(_temporary.File("volumes/" + Name)).ShouldBe((UnixFileMode)0x1FF);
        Folders.Has(Name).ShouldBeTrue();

        await Folders.DeleteAsync(Name);
        Folders.Has(Name).ShouldBeFalse();
    }

    [Theory]
    [InlineData("..")]
    [InlineData("pvc-../../etc")]
    [InlineData("pvc-")]
    [InlineData("/etc")]
    [InlineData("pvc-11111111222233334444555555555555")]
    public async Task A_name_that_is_none_of_a_volume_is_no_path(string name)
    {
        Should.Throw<ArgumentException>(() => Folders.Make(name));
        await Should.ThrowAsync<ArgumentException>(() => Folders.DeleteAsync(name));
    }
}

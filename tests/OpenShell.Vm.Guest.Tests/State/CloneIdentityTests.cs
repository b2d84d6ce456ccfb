using OpenShell.Vm.Guest.State;

namespace OpenShell.Vm.Guest.Tests.State;

public sealed class CloneIdentityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CloneIdentityTests()
    {
        Directory.CreateDirectory(_folder.File("state/pki"));
        foreach (var file in new[] { "machine-id", "pki/ca.crt", "pki/gateway-ca.crt", "pki/gateway-ca.key", "pki/front-ca.crt", "pki/front-ca.key", "pki/sa.key" })
            File.WriteAllText(_folder.File("state/" + file), "of the source");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_disk_that_is_new_is_taken_over_as_it_is()
    {
        var state = Directory.CreateTempSubdirectory("ovt-");
        try
        {
            CloneIdentity.Claim("golden", state.FullName);
            CloneIdentity.Claim("golden", state.FullName);
            File.ReadAllText(Path.Combine(state.FullName, "markers", "identity")).ShouldContain("golden");
        }
        finally
        {
            state.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_clone_loses_what_must_be_its_own_and_keeps_what_the_cluster_hangs_on()
    {
        CloneIdentity.Claim("one", _folder.File("state"));

        Left().ShouldBe(["pki/ca.crt", "pki/sa.key"]);
    }

    [Fact]
    public void What_it_has_made_for_itself_stays_at_later_boots_and_goes_when_it_is_cloned_again()
    {
        CloneIdentity.Claim("one", _folder.File("state"));
        File.WriteAllText(_folder.File("state/machine-id"), "its own");

        CloneIdentity.Claim("one", _folder.File("state"));
        File.ReadAllText(_folder.File("state/machine-id")).ShouldBe("its own");

        CloneIdentity.Claim("two", _folder.File("state"));
        File.Exists(_folder.File("state/machine-id")).ShouldBeFalse();
    }

    [Fact]
    public void What_is_no_clone_keeps_all()
    {
        CloneIdentity.Claim(null, _folder.File("state"));

        Left().Length.ShouldBe(7);
    }

    private string[] Left()
    {
        var state = _folder.File("state");
        return [.. Directory.EnumerateFiles(state, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(state, f)).Where(f => !f.StartsWith("markers", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }
}

using System.Text.Json;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Tests.Running;

public sealed class BackgroundBakeTests
{
    [Fact]
    public void What_is_to_be_baked_may_hold_a_password_and_is_its_owners_alone()
    {
        var folder = Directory.CreateTempSubdirectory("bake-");
        try
        {
            var config = new InstanceConfig { Name = "one", Proxy = new ProxyConfig { Http = "http://me:secret@proxy.example:3128" } };

            var path = BackgroundBake.WriteRequest(folder.FullName, config);

            File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            JsonSerializer.Deserialize(File.ReadAllText(path), InstanceJson.Default.InstanceConfig)!.Proxy.ShouldBe(config.Proxy);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

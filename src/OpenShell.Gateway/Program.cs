using OpenShell.Gateway;
using OpenShell.Gateway.Info;
using OpenShell.Gateway.Tls;

if (args is ["--version"])
{
    Console.WriteLine(GatewayInfoService.Version);
    return 0;
}
if (args.Length > 0)
{
    Console.Error.WriteLine($"openshell-gateway: unknown argument '{args[0]}'; it takes only --version, everything else is set by OPENSHELL_* variables.");
    return 2;
}

var settings = GatewaySettings.From(Environment.GetEnvironmentVariable, out var errors);
foreach (var error in errors)
    Console.Error.WriteLine("openshell-gateway: " + error);
if (errors.Count > 0)
    return 2;

try
{
    await using var app = GatewayHost.Create(settings);
    await app.RunAsync();
    return 0;
}
catch (TlsMaterialException unusable)
{
    Console.Error.WriteLine("openshell-gateway: " + unusable.Message);
    return 1;
}
catch (IOException busy) when (busy.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
{
    Console.Error.WriteLine("openshell-gateway: " + busy.Message);
    return 1;
}

using OpenShell.Gateway.Cli;

return await GatewayApp.RunAsync(args, CliHost.ForProcess());

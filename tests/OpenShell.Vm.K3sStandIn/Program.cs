using OpenShell.Vm.K3sStandIn;

return await StandIn.RunAsync(Environment.GetCommandLineArgs());

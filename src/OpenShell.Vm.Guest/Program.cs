using OpenShell.Vm.Guest;

return Roles.Run(Environment.GetCommandLineArgs());

using OpenShell.Gateway.Cli;
using OpenShell.Gateway.Cli.Tests.Dummy;

// The whole command, in a process of its own, with everything real but the machine: programs "in the guest" are processes of this host, and an
// instance becomes ready without one. What is asked of them is written to a journal, if DUMMY_JOURNAL names a file.
var journal = new Journal(Environment.GetEnvironmentVariable("DUMMY_JOURNAL"));
return await GatewayApp.RunAsync(args, CliHost.ForProcess(new DummyInstances(journal), new DummyImages(), new DummyPackages()));

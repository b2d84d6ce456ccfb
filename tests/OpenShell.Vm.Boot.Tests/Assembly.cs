using OpenShell.Vm.Boot.Tests.Running;

// Virtual machines are measured by the clock: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: TestCollectionOrderer(typeof(CollectionOrder))]

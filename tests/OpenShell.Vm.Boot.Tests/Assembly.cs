// Virtual machines are measured by the clock: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

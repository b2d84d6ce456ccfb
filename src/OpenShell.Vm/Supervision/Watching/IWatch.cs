namespace OpenShell.Vm.Supervision.Watching;

/// <summary>One thing that is looked at again and again while a machine runs. Adding one is a file here and a line where <see cref="WatchRunner"/> is started.</summary>
internal interface IWatch
{
    /// <summary>For the log.</summary>
    string Name { get; }

    /// <summary>Between two looks.</summary>
    TimeSpan Interval { get; }

    /// <summary>Looks once, says what it found, and puts right what it can. What it throws is logged, and it looks again.</summary>
    Task LookAsync(CancellationToken cancellationToken);
}

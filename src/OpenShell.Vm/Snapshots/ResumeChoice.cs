using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Snapshots;

/// <summary>What a start goes on from.</summary>
internal sealed record ResumeChoice
{
    /// <summary>For a person: <c>golden image 1a2b3c</c>, <c>suspended memory</c>.</summary>
    public required string Title { get; init; }

    /// <summary>What QEMU loads.</summary>
    public required SavedMachine From { get; init; }

    /// <summary>Where the guest's memory lies.</summary>
    public GuestMemory? Memory { get; init; }

    /// <summary>What is written down of the memory that the machine's own lies over; <see langword="null"/>: of none.</summary>
    public SavedFile? Base { get; init; }

    /// <summary>The golden image; <see langword="null"/>: the instance's own memory.</summary>
    public GoldenFiles? Golden { get; init; }

    /// <summary>The digest of what it was given along; <see langword="null"/>: nothing.</summary>
    public string? Delivery { get; init; }

    /// <summary>Who the machine is to be from now on; <see langword="null"/>: whom it was.</summary>
    public InstanceOrigin? Becomes { get; init; }
}

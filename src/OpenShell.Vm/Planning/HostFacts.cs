namespace OpenShell.Vm.Planning;

/// <summary>What was found out about the host, once per command. Pure data: the planner decides by it and tests make it up.</summary>
public sealed record HostFacts
{
    /// <summary><c>linux</c> or <c>macos</c>.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary><c>x86_64</c> or <c>aarch64</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The processor of the guests that all of this is about: <c>x86_64</c> or <c>aarch64</c>, the host's own unless said otherwise. Only emulation runs another's.</summary>
    public string GuestArchitecture { get => field ?? Architecture; init; }

    /// <summary>Logical processors.</summary>
    public required int Cores { get; init; }

    /// <summary>Physical memory in MiB.</summary>
    public required int MemoryMib { get; init; }

    /// <summary>Absolute path of <c>qemu-system-ARCH</c> for these guests, if there.</summary>
    public string? Qemu { get; init; }

    /// <summary>Version of that QEMU, such as 10.0.2.</summary>
    public Version? QemuVersion { get; init; }

    /// <summary>Absolute path of <c>qemu-img</c>, if there.</summary>
    public string? QemuImg { get; init; }

    /// <summary>Absolute path of gvproxy, if there.</summary>
    public string? Gvproxy { get; init; }

    /// <summary>Absolute path of virtiofsd, if there.</summary>
    public string? Virtiofsd { get; init; }

    /// <summary>Whether what is started belongs to root.</summary>
    public bool IsRoot { get; init; }

    /// <summary>Absolute path of libkrun, if there.</summary>
    public string? Libkrun { get; init; }

    /// <summary>Absolute paths of every libkrunfw, the preferred one first.</summary>
    public IReadOnlyList<string> Libkrunfw { get; init; } = [];

    /// <summary>How the process that becomes libkrun's machine is started; <see langword="null"/> for a program that has no such command.</summary>
    public VmmProgram? VmmProgram { get; init; }

    /// <summary>Whether k3s can be had; <see langword="null"/> where it was not looked for.</summary>
    public Distributions.K3sAvailability? K3s { get; init; }

    /// <summary>Every accelerator with whether it is usable, and why not.</summary>
    public required IReadOnlyList<AcceleratorFact> Accelerators { get; init; }
}

/// <summary>A program that takes the path of a plan as its last argument and becomes that machine.</summary>
/// <param name="Command">Its absolute path and first arguments.</param>
/// <param name="Environment">Its whole environment.</param>
public sealed record VmmProgram(IReadOnlyList<string> Command, IReadOnlyDictionary<string, string> Environment);

/// <summary>One way to run guest code, as found on this host.</summary>
public sealed record AcceleratorFact
{
    /// <summary>Which.</summary>
    public required Accelerator Accelerator { get; init; }

    /// <summary>Whether it is fit for use: KVM is timed, not only opened.</summary>
    public required bool Usable { get; init; }

    /// <summary>Why, with what was measured.</summary>
    public required string Reason { get; init; }
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenShell.Vm.Planning;

/// <summary>
/// Times KVM by running a loop of real guest code under it. That <c>/dev/kvm</c> opens says little: inside some virtual machines it is an emulation that
/// interprets guest kernel code, thousands of times slower than the processor and hundreds of times slower than QEMU's own emulation.
/// The interface: https://docs.kernel.org/virt/kvm/api.html.
/// </summary>
public static unsafe partial class KvmProbe
{
    /// <summary>Steps of the first round: so few that even an interpreter is done soon (50 ms where one step took it 2.5 µs).</summary>
    private const uint FirstRound = 20_000;

    /// <summary>Steps of the last round: some 10 ms of a real processor.</summary>
    private const uint LastRound = 20_000_000;

    /// <summary>A round that takes at least this long is not decided by an interrupt of the host, nor by what the first entry into a guest costs.</summary>
    private static readonly TimeSpan Enough = TimeSpan.FromMilliseconds(5);

    /// <summary>The body of the child process: prints one line of JSON to stdout and returns the exit code.</summary>
    public static int RunInThisProcess()
    {
        var result = Measure();
        Console.Out.WriteLine(JsonSerializer.Serialize(result, KvmProbeJson.Default.KvmMeasurement));
        return result.Error is null ? 0 : 1;
    }

    /// <summary>Measures in this process. May block for good under a broken KVM: that is why there is a child for it.</summary>
    internal static KvmMeasurement Measure()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return new KvmMeasurement { Error = "the speed test is written for x86-64 Linux" };
        try
        {
            using var machine = new KvmTestMachine();
            var native = NativeNanosecondsPerStep();
            var steps = FirstRound;
            var elapsed = machine.Run(steps);
            while (elapsed < Enough && steps < LastRound)
            {
                steps *= 10;
                elapsed = machine.Run(steps);
            }

            var guest = elapsed.TotalNanoseconds / steps;
            return new KvmMeasurement { GuestNanosecondsPerStep = guest, NativeNanosecondsPerStep = native };
        }
        catch (IOException e)
        {
            return new KvmMeasurement { Error = e.Message };
        }
    }

    // The same dependency chain, one decrement and one branch a step, by this process: the compiler may not shorten it, since the value is volatile.
    private static double NativeNanosecondsPerStep()
    {
        const uint NativeSteps = 1_000_000;
        var best = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var left = NativeSteps; Volatile.Read(ref left) != 0; left--)
            {
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / (NativeSteps));
        }

        return best;
    }
}

/// <summary>What the child found out.</summary>
internal sealed record KvmMeasurement
{
    /// <summary>Time of one step of the loop under KVM.</summary>
    public double GuestNanosecondsPerStep { get; init; }

    /// <summary>Time of one step of a similar loop on the host.</summary>
    public double NativeNanosecondsPerStep { get; init; }

    /// <summary>Why there is nothing measured.</summary>
    public string? Error { get; init; }

    /// <summary>
    /// How much slower KVM may be than the host before QEMU's emulation is the better choice. TCG runs such a loop some 5 to 20 times slower than the processor;
    /// hardware virtualization, also nested, at its full speed.
    /// </summary>
    private const double TolerableSlowdown = 10;

    internal AcceleratorFact ToFact()
    {
        if (Error is not null)
            return Unusable(Error);
        var slowdown = GuestNanosecondsPerStep / NativeNanosecondsPerStep;
        return slowdown > TolerableSlowdown
            ? Unusable(string.Create(CultureInfo.InvariantCulture, $"/dev/kvm is there, but runs guest code {slowdown:N0} times slower than this processor: it is itself emulated, and QEMU's emulation is faster"))
            : new AcceleratorFact { Accelerator = Accelerator.Kvm, Usable = true, Reason = string.Create(CultureInfo.InvariantCulture, $"runs guest code at full speed ({GuestNanosecondsPerStep:0.0} ns a step)") };
    }

    internal static AcceleratorFact Unusable(string reason) => new() { Accelerator = Accelerator.Kvm, Usable = false, Reason = reason };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KvmMeasurement))]
internal sealed partial class KvmProbeJson : JsonSerializerContext;

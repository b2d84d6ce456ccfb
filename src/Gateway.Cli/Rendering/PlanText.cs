using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>A plan for people; its command lines can be pasted into a shell.</summary>
internal static class PlanText
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter writer, StartPlan plan)
    {
        writer.WriteLine($"instance     {plan.Plan.Instance} ({(plan.Config.Exec is { } exec ? $"runs {exec.Program}" : "a cluster")})");
        writer.WriteLine($"machine      {plan.Plan.Vcpus} vCPUs, {plan.Plan.MemoryMib} MiB, {plan.Plan.Hypervisor} ({CliJson.Word(plan.Plan.Accelerator)})");
        if (plan.Config.BaseImage is { } image)
            writer.WriteLine($"base image   {image}");
        writer.WriteLine($"kernel       {plan.Plan.Kernel ?? "libkrunfw's"}");
        if (plan.Plan.Initramfs is { } initramfs)
            writer.WriteLine($"initramfs    {initramfs}");
        if (plan.Plan.RootDirectory is { } root)
            writer.WriteLine($"root         {root} (virtio-fs)");
        foreach (var disk in plan.Plan.Disks)
            writer.WriteLine($"disk         {disk.Serial}: {disk.Path} ({CliJson.Word(disk.Format)}{(disk.ReadOnly ? ", read-only" : "")})");
        if (plan.Plan.Krun is { } krun)
            writer.WriteLine($"libkrun      {string.Join(", ", krun.Firmware.Prepend(krun.Library))}");
        foreach (var mount in plan.Config.Mounts)
            writer.WriteLine($"mount        {mount.Text()}");
        foreach (var port in plan.Config.Ports.Concat(plan.Config.AddedPorts))
            writer.WriteLine($"forward      {port.Text()}");
        writer.WriteLine($"console      {plan.Plan.ConsoleLog}");
        foreach (var fact in plan.Host.Accelerators)
            writer.WriteLine($"accelerator  {CliJson.Word(fact.Accelerator)}: {(fact.Usable ? "usable" : "not used")}, {fact.Reason}");

        foreach (var process in plan.Processes)
        {
            writer.WriteLine();
            writer.WriteLine($"# {process.Title}");
            WriteCommand(writer, process);
        }

        foreach (var note in plan.Notes)
        {
            writer.WriteLine();
            writer.WriteLine($"note: {note}");
        }
    }

    private static void WriteCommand(TextWriter writer, LaunchSpec process)
    {
        var words = new List<string>();
        if (process.Environment.Count > 0)
            words.AddRange(["env", "-i", .. process.Environment.Select(v => ShellQuote.Quote($"{v.Key}={v.Value}"))]);
        words.Add(ShellQuote.Quote(process.Program));

        // An option and its value share a line.
        var lines = new List<string> { string.Join(' ', words) };
        foreach (var argument in process.Arguments.Select(ShellQuote.Quote))
        {
            if (argument.StartsWith('-') || lines.Count == 1)
                lines.Add(argument);
            else
                lines[^1] += " " + argument;
        }

        writer.WriteLine(string.Join(" \\\n    ", lines));
    }
}

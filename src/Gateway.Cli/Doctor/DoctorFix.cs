using OpenShell.Gateway.Cli.Json;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Does what the checks say can be done, one after another; each is shown before it is done.</summary>
internal sealed class DoctorFix(CommandContext context, TextWriter writer)
{
    /// <summary>Does all of it. What fails keeps nothing else from being done.</summary>
    public async Task<IReadOnlyList<RepairView>> RunAsync(IReadOnlyList<CheckResult> results, CancellationToken cancellationToken)
    {
        var repairs = new List<RepairView>();
        foreach (var (result, repair) in results.Where(r => r.Repair is not null).Select(r => (r, r.Repair!)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await writer.WriteLineAsync($"{result.Name}: --fix {repair.What}");
            var problem = await ProblemAsync(repair);
            await writer.WriteLineAsync(problem is null ? "  done" : $"  not done: {problem}");
            repairs.Add(new RepairView(result.Name, repair.What, problem is null, problem));
        }

        return repairs;
    }

    private async Task<string?> ProblemAsync(Repair repair)
    {
        try
        {
            return await repair.RunAsync(context);
        }
        catch (FaultException e)
        {
            return string.Join(' ', e.Faults.Select(f => $"{f.What} {f.Remedy}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}

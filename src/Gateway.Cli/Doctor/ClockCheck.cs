using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Gateway.Cli.Terminals;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>The clock, by what is known without asking anybody: this program is not from the future, and certificates that were made here are valid. The guest takes its time from it.</summary>
internal sealed class ClockCheck : IHostCheck
{
    /// <summary>Time zones, and files that were copied from a machine whose clock is a bit ahead.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromHours(26);

    public string Name => "clock";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var now = context.Host.Time.GetUtcNow();
        var results = new List<CheckResult> { Judge(Name, now, File.GetLastWriteTimeUtc(CliHost.ProgramFile), LibC.IsClockKept()) };
        foreach (var instance in await context.Host.Instances.ListAsync(cancellationToken))
        {
            var path = Path.Combine(new GatewayRegistration(context.Host.Directories, instance.Name).MtlsFolder, "tls.crt");
            if (Judge($"certificate {instance.Name}", now, path, instance.Name == InstanceName.Default) is { } result)
                results.Add(result);
        }

        return results;
    }

    /// <summary>By the times alone.</summary>
    internal static CheckResult Judge(string name, DateTimeOffset now, DateTimeOffset program, bool? isKept)
    {
        const string Set = "Set the clock: sudo timedatectl set-ntp true, or sudo date --set. Certificates and the signatures of packages are not valid before their time.";
        if (now + Tolerance < program)
            return new CheckResult(name, CheckState.Failed, $"{Text(now)}, which is before this program was made ({Text(program)})", Set);
        return new CheckResult(name, CheckState.Ok, $"{Text(now)}{(isKept is false ? "; no time service is known to keep it" : "")}");
    }

    /// <summary>A client's certificate; <see langword="null"/>: there is none, or it is valid.</summary>
    internal static CheckResult? Judge(string name, DateTimeOffset now, string path, bool isDefault)
    {
        try
        {
            if (!File.Exists(path))
                return null;
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            if (now < certificate.NotBefore - TimeSpan.FromMinutes(1))
                return new CheckResult(name, isDefault ? CheckState.Failed : CheckState.Warning, $"{path} is valid from {Text(certificate.NotBefore)}, and now it is {Text(now)}", "The clock has been set back: set it right.");
            return now > certificate.NotAfter
                ? new CheckResult(name, isDefault ? CheckState.Failed : CheckState.Warning, $"{path} was valid until {Text(certificate.NotAfter)}", $"If the clock is right, 'gateway reset{Commands.KnownInstance.Named(name.Split(' ')[1])}' makes new ones with the next start, and discards what is on the instance's disk.")
                : null;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return new CheckResult(name, CheckState.Warning, $"{path} cannot be read: {e.Message}", "The next start writes it anew.");
        }
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}

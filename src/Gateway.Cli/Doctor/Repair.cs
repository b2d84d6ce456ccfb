using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Upkeep;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Something that <c>doctor --fix</c> can do without harm: it says what, and looks again before it does it.</summary>
/// <param name="What">What it does, for a person: a sentence without its subject.</param>
internal abstract record Repair(string What)
{
    /// <summary>Does it.</summary>
    /// <returns>Why it was not done after all; <see langword="null"/>: it was.</returns>
    public abstract Task<string?> RunAsync(CommandContext context);
}

/// <summary>Installs packages, as <c>gateway setup</c> does.</summary>
internal sealed record InstallPackages(IReadOnlyList<MissingPackage> Missing) : Repair($"installs {string.Join(", ", Missing.Select(m => m.Package.Name))}")
{
    /// <inheritdoc/>
    public override async Task<string?> RunAsync(CommandContext context)
    {
        await PackageSetup.InstallAsync(context, Missing);
        return null;
    }
}

/// <summary>Removes what a killed process left.</summary>
internal sealed record RemoveRemain(StaleRemain Remain) : Repair(Remain.Kind == RemainKind.Lock ? $"empties {Remain.Path}: {Remain.Why}" : $"removes {Remain.Path}: {Remain.Why}")
{
    /// <inheritdoc/>
    public override Task<string?> RunAsync(CommandContext context) =>
        Task.FromResult(new StaleRemains(context.Host.Directories).Remove(Remain) ? null : "somebody uses it by now; it is left alone");
}

/// <summary>Gives a file or folder the mode that it should have.</summary>
internal sealed record MendRights(WrongRights Rights) : Repair($"changes the mode of {Rights.Path} to {FolderRights.Octal(Rights.Mode ?? default)}: it {Rights.Why}")
{
    /// <inheritdoc/>
    public override Task<string?> RunAsync(CommandContext context)
    {
        FolderRights.Mend(Rights);
        return Task.FromResult<string?>(null);
    }
}

using OpenShell.Vm.Images;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Whether a start would have to build first.</summary>
internal sealed class ImagesCheck : IHostCheck
{
    public string Name => "images";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var set = await context.Host.Images.FindAsync(new ImageRequest { Mode = GuestMode.Cluster }, cancellationToken);
        return
        [
            set is null
                ? new CheckResult(Name, CheckState.Warning, "not all built yet; the next start builds them, which takes some minutes", "To build them now: gateway image build")
                : new CheckResult(Name, CheckState.Ok, $"{set.Key}, in the cache"),
        ];
    }
}

namespace OpenShell.Vm.Protocol.Messages;

/// <summary>Certificates that are near their end are to be made anew, while the cluster runs.</summary>
/// <param name="WithinSeconds">How near: those that end within this time.</param>
public sealed record CertificateRenewal(long WithinSeconds);

/// <summary>What a guest did about a <see cref="CertificateRenewal"/>.</summary>
/// <param name="Renewed">The certificates that are new, by name; none when all last longer. The host's copies of them are void then: it fetches its files again.</param>
/// <param name="Replaced">The services that were started again to use them.</param>
public sealed record CertificateRenewalReply(IReadOnlyList<string> Renewed, IReadOnlyList<string> Replaced);

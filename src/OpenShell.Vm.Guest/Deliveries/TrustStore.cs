namespace OpenShell.Vm.Guest.Deliveries;

/// <summary>The certificate authorities that programs of the guest trust: Debian's ca-certificates, where Go and OpenSSL look.</summary>
internal static class TrustStore
{
    /// <summary>All of them, one PEM after the other.</summary>
    public const string Bundle = "/etc/ssl/certs/ca-certificates.crt";

    /// <summary>Adds those that were given along; the file is in memory, so the next boot begins with the image's own.</summary>
    public static void Add(Delivery delivery, string bundle = Bundle)
    {
        if (delivery.Index.Authorities is not { } entry)
            return;
        // A bundle that does not end its last line would swallow the first of ours.
        File.AppendAllText(bundle, "\n" + File.ReadAllText(delivery.PathOf(entry)));
    }
}

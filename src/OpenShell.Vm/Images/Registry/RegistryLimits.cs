namespace OpenShell.Vm.Images.Registry;

/// <summary>What is taken of others, at most. What is more is refused.</summary>
internal static class RegistryLimits
{
    /// <summary>Bytes of a manifest or an index: what registries have to take (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-manifests).</summary>
    public const int Manifest = 4 << 20;

    /// <summary>Bytes of an image's configuration: history and labels are in it.</summary>
    public const int Configuration = 8 << 20;

    /// <summary>Bytes of a token server's answer, or of an error.</summary>
    public const int Answer = 1 << 20;

    /// <summary>Layers of an image; overlayfs takes 128.</summary>
    public const int Layers = 128;

    /// <summary>Bytes of all layers as they are kept, and as they are unpacked: the guest's disk for images is no larger.</summary>
    public const long Compressed = 8L << 30, Unpacked = 16L << 30;

    /// <summary>Files of an image.</summary>
    public const int Entries = 2_000_000;

    /// <summary>Redirects of one request.</summary>
    public const int Redirects = 5;

    /// <summary>Indexes within indexes.</summary>
    public const int Depth = 3;
}

using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Images.Registry;

/// <summary>Where a base image is: in a registry, or on this machine. Written as skopeo's users write it (https://github.com/containers/image/blob/main/docs/containers-transports.5.md).</summary>
internal abstract record BaseImageSource
{
    /// <summary>Says that an instance is to go back to Debian's packages. (An image of that name can be written <c>docker.io/library/none</c>.)</summary>
    public const string None = "none";

    private const string LayoutPrefix = "oci:", ArchivePrefix = "oci-archive:", DockerArchivePrefix = "docker-archive:", RegistryPrefix = "docker://";

    private const string Forms = "Write [HOST[:PORT]/]NAME[:TAG][@sha256:...] for a registry, oci:FOLDER[:NAME] for an OCI layout, or PATH.tar for an archive of one or of 'docker save'.";

    /// <summary>In a registry.</summary>
    public sealed record InRegistry(ImageReference Reference) : BaseImageSource
    {
        /// <inheritdoc/>
        public override string ToString() => Reference.ToString();
    }

    /// <summary>A folder with an OCI image layout.</summary>
    /// <param name="Folder">Absolute path.</param>
    /// <param name="Name">Which of its images; <see langword="null"/>: the only one.</param>
    public sealed record Layout(string Folder, string? Name) : BaseImageSource
    {
        /// <inheritdoc/>
        public override string ToString() => LayoutPrefix + Folder + (Name is null ? "" : ":" + Name);
    }

    /// <summary>A tar of an OCI image layout, or of what <c>docker save</c> writes.</summary>
    /// <param name="File">Absolute path.</param>
    /// <param name="Name">Which of its images; <see langword="null"/>: the only one.</param>
    public sealed record Archive(string File, string? Name) : BaseImageSource
    {
        /// <inheritdoc/>
        public override string ToString() => ArchivePrefix + File + (Name is null ? "" : ":" + Name);
    }

    /// <summary>Reads what the user wrote; relative paths are of this process's folder.</summary>
    /// <exception cref="FaultException"><c>image.base-image-invalid</c>: a usage fault.</exception>
    public static BaseImageSource Parse(string text)
    {
        foreach (var prefix in (string[])[LayoutPrefix, ArchivePrefix, DockerArchivePrefix])
        {
            if (!text.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            var (path, name) = text[prefix.Length..].Split(':', 2) is [var before, var behind] ? (before, behind) : (text[prefix.Length..], null);
            if (path.Length == 0 || name is "")
                throw Invalid(text, "a path is missing");
            return prefix == LayoutPrefix ? new Layout(Path.GetFullPath(path), name) : new Archive(Path.GetFullPath(path), name);
        }

        if (IsPath(text))
            return new Archive(Path.GetFullPath(text), null);
        var reference = text.StartsWith(RegistryPrefix, StringComparison.Ordinal) ? text[RegistryPrefix.Length..] : text;
        return ImageReference.TryParse(reference, out var parsed, out var why) ? new InRegistry(parsed) : throw Invalid(text, why);
    }

    /// <summary>What is wrong with what the user wrote; <see langword="null"/>: nothing. Looks at nothing but the text.</summary>
    public static Fault? FaultOf(string text)
    {
        try
        {
            Parse(text);
            return null;
        }
        catch (FaultException e)
        {
            return e.Faults[0];
        }
    }

    /// <summary>The same as it is understood from everywhere: paths are absolute, names whole. What names no image stays as it is, for others to refuse.</summary>
    public static string Normal(string text) => text == None || FaultOf(text) is not null ? text : Parse(text).ToString();

    // A repository may be called base.tar as well; docker:// says that it is meant.
    private static bool IsPath(string text) =>
        text is ['/', ..] or ['.', '/', ..] or ['.', '.', '/', ..] || (text.EndsWith(".tar", StringComparison.Ordinal) && !text.StartsWith(RegistryPrefix, StringComparison.Ordinal));

    private static FaultException Invalid(string text, string why) => new(new Fault
    {
        Code = "image.base-image-invalid",
        Stage = Timeline.BootStages.Image,
        What = $"--base-image '{text}' names no image: {why}.",
        Remedy = Forms,
        IsUsage = true,
    });
}

using OpenShell.Vm.Images.Registry;

namespace OpenShell.Vm.Images;

/// <summary>Names of base images, as users write them.</summary>
public static class BaseImages
{
    /// <summary>In place of an image: Debian's packages.</summary>
    public const string None = BaseImageSource.None;

    /// <summary>The same as it is understood from everywhere: paths are absolute, names whole. What names no image stays as it is, for <see cref="Instances.InstanceValidator"/> and builds to refuse.</summary>
    public static string Normal(string text) => BaseImageSource.Normal(text);
}

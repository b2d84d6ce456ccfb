using System.CommandLine;
using OpenShell.Vm.Images;

namespace OpenShell.Gateway.Cli.Options;

/// <summary><c>--base-image IMAGE</c>: the guest's system out of a container image.</summary>
internal sealed class BaseImageOption : Option<string?>
{
    public BaseImageOption()
        : base("--base-image")
    {
        Description = "Take the root file system from this container image instead of Debian's packages: [HOST[:PORT]/]NAME[:TAG][@sha256:...], oci:FOLDER or PATH.tar (docs/images.md). 'none' goes back to packages.";
        HelpName = "IMAGE";
    }

    /// <summary>The image, with absolute paths; <see langword="null"/> where nothing was said.</summary>
    public string? Of(ParseResult parse) => parse.GetValue(this) is { } image ? BaseImages.Normal(image) : null;

    /// <summary>The same where there is no instance that could have one already: 'none' says nothing.</summary>
    public string? OfImage(ParseResult parse) => Of(parse) is { } image and not BaseImages.None ? image : null;
}

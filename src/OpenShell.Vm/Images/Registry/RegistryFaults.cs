using System.Net;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Registry;

/// <summary>What can go wrong between here and an image.</summary>
internal static class RegistryFaults
{
    public static FaultException Unreachable(string image, Uri address, Exception cause) => ImageFaults.Make(
        "image.registry-unreachable",
        $"The registry of {image} does not answer: {address.GetLeftPart(UriPartial.Authority)}: {cause.Message.TrimEnd('.')}.",
        "Check the name, the network and, where there is one, the proxy (https_proxy). A registry without TLS is written with http:// before its name; an image on this machine is oci:FOLDER or PATH.tar.",
        cause: cause);

    public static FaultException Unauthorized(string image, string host, bool hadCredentials, bool hasHelper, string? said) => ImageFaults.Make(
        "image.registry-unauthorized",
        $"The registry does not give {image} {(hadCredentials ? "to the user in Docker's configuration" : "to somebody it does not know")}{Said(said)}.",
        hadCredentials
            ? $"Log in anew with 'docker login {host}' or 'skopeo login --compat-auth-file ~/.docker/config.json {host}', and check that the image is there and yours to pull."
            : hasHelper
                ? $"Docker's configuration keeps passwords in a credential helper, which is not asked: write them into 'auths' of a config.json of its own, and name its folder in DOCKER_CONFIG. Also check that the image exists: many registries say no to what is not there."
                : $"Check the name: many registries say no to what is not there. For an image that is not public: 'docker login {host}', or a config.json with 'auths' in the folder that DOCKER_CONFIG names.");

    public static FaultException NotFound(string image, string? said) => ImageFaults.Make(
        "image.base-image-not-found", $"There is no image {image}{Said(said)}.", "Check its name, tag and digest.");

    public static FaultException Refused(string image, Uri address, HttpStatusCode status, string? said) => ImageFaults.Make(
        "image.registry-refused",
        $"The registry of {image} answers {(int)status} ({status}) to {address.GetLeftPart(UriPartial.Path)}{Said(said)}.",
        status == HttpStatusCode.TooManyRequests
            ? "It limits how much is pulled: try again later, log in, or use a mirror of the image."
            : "Try again later; what has come is kept.");

    public static FaultException Redirected(string image, Uri from, Uri? to, string why) => ImageFaults.Make(
        "image.registry-redirect",
        $"The registry of {image} leads from {from.GetLeftPart(UriPartial.Authority)} to {to?.GetLeftPart(UriPartial.Authority) ?? "nowhere"}: {why}.",
        "Have the registry serve its blobs with TLS, or take the image from elsewhere.");

    public static FaultException NoPlatform(string image, string wanted, IEnumerable<string> there) => ImageFaults.Make(
        "image.base-image-platform",
        $"{image} is not for {wanted}; it is for {string.Join(", ", there.Distinct().DefaultIfEmpty("nothing that it tells"))}.",
        $"Take an image that is also built for {wanted}.");

    public static FaultException Digest(string image, string what, string wanted, string got) => ImageFaults.Make(
        "image.digest-mismatch",
        $"{what} of {image} is not what its digest says: {got} in place of {wanted}. Nothing of it is used.",
        "Something between here and there changes data, or the image is damaged where it is kept: push or copy it again.");

    public static FaultException Unsupported(string image, string what) => ImageFaults.Make(
        "image.base-image-unsupported", $"{image} cannot be used: {what}.", "Take a Linux container image with layers that are tars, gzipped or compressed with zstd, such as 'docker build', buildah and skopeo make.");

    public static FaultException Malformed(string image, string what, Exception? cause = null) => ImageFaults.Make(
        "image.base-image-malformed", $"{image} is malformed: {what}.", "Push or save the image anew, with another tool if need be.", cause: cause);

    public static FaultException TooLarge(string image, string what) => ImageFaults.Make(
        "image.base-image-too-large", $"{image} is larger than a base image may be: {what}.", "Take a smaller image: docs/images.md says what has to be in it.");

    private static string Said(string? said) => string.IsNullOrWhiteSpace(said) ? "" : $": {said}";
}

using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Deliveries;

/// <summary>What can be wrong with what a user gives along; all of it is found before anything is changed.</summary>
internal static class DeliveryFaults
{
    internal static Fault Missing(string option, string path) =>
        Make("missing", $"{option} {path}: there is no such file or folder.", "Check the path.");

    internal static Fault Empty(string option, string folder, string kinds) =>
        Make("empty", $"{option} {folder}: the folder has no file that ends in {kinds}.", "Name a folder that has some, or a file.");

    internal static Fault Unreadable(string option, string path, string why) =>
        Make("unreadable", $"{option} {path} cannot be read: {why}", "Make it readable for you.");

    internal static Fault Make(string code, string what, string remedy) => new() { Code = "delivery." + code, What = what, Remedy = remedy, IsUsage = true };
}

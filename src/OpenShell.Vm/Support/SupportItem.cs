using OpenShell.Vm.Support.Redaction;

namespace OpenShell.Vm.Support;

/// <summary>One file of a support bundle, before it is read.</summary>
/// <param name="Name">Its name in the bundle.</param>
/// <param name="Content">What it is: by that secrets are found in it.</param>
public abstract record SupportItem(string Name, SupportContent Content);

/// <summary>A file of the host.</summary>
/// <param name="Name">Its name in the bundle.</param>
/// <param name="Content">What it is.</param>
/// <param name="Path">Where it is on the host.</param>
/// <param name="Bytes">How long it is now.</param>
public sealed record HostFileItem(string Name, SupportContent Content, string Path, long Bytes) : SupportItem(Name, Content);

/// <summary>Something that was put together for the bundle.</summary>
/// <param name="Name">Its name in the bundle.</param>
/// <param name="Content">What it is.</param>
/// <param name="Text">What it says.</param>
public sealed record TextItem(string Name, SupportContent Content, string Text) : SupportItem(Name, Content);

/// <summary>What has become of an item.</summary>
/// <param name="Name">Its name in the bundle.</param>
/// <param name="From">Where it is from: a path, or a word.</param>
/// <param name="Bytes">What it takes in the bundle, before compression.</param>
/// <param name="Redactions">How often a secret was taken out.</param>
/// <param name="Problem">Why it is not there, or not all of it; <see langword="null"/>: it is.</param>
public sealed record SupportEntry(string Name, string From, long Bytes, int Redactions, string? Problem);

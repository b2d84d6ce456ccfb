namespace OpenShell.Vm.Protocol.Messages;

/// <summary>Asks for the content of a regular file.</summary>
/// <param name="Path">Absolute.</param>
public sealed record FileReadRequest(string Path);

/// <summary>What is about to be sent.</summary>
/// <param name="Size">Bytes when it was opened; a file that grows or shrinks meanwhile may send another number.</param>
/// <param name="Mode">Permission bits (07777).</param>
public sealed record FileDescription(long Size, int Mode);

/// <summary>Asks to write a file, whole or not at all. The sender's END means that it is complete.</summary>
/// <param name="Path">Absolute; its folders are made where missing.</param>
/// <param name="Mode">Permission bits (07777).</param>
public sealed record FileWriteRequest(string Path, int Mode);

/// <summary>The file is in its place.</summary>
/// <param name="Size">Bytes written.</param>
public sealed record FileWritten(long Size);

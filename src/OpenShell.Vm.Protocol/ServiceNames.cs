namespace OpenShell.Vm.Protocol;

/// <summary>The services by name and the kinds of their messages. Names and numbers are never reused. PROTOCOL.md describes each.</summary>
public static class ServiceNames
{
    /// <summary>Guest: runs a program. Header <see cref="Messages.ExecRequest"/>.</summary>
    public const string Exec = "exec";

    /// <summary>Guest: signals a program. Header <see cref="Messages.ExecSignal"/>.</summary>
    public const string ExecSignal = "exec.signal";

    /// <summary>Guest: resizes a program's terminal. Header <see cref="Messages.ExecResize"/>.</summary>
    public const string ExecResize = "exec.resize";

    /// <summary>Guest: sends a file. Header <see cref="Messages.FileReadRequest"/>.</summary>
    public const string FileRead = "file.read";

    /// <summary>Guest: takes a file. Header <see cref="Messages.FileWriteRequest"/>.</summary>
    public const string FileWrite = "file.write";

    /// <summary>Guest: sends a tree of files. Header <see cref="Messages.TreeReadRequest"/>.</summary>
    public const string TreeRead = "tree.read";

    /// <summary>Guest: takes a tree of files. Header <see cref="Messages.TreeWriteRequest"/>.</summary>
    public const string TreeWrite = "tree.write";

    /// <summary>Guest: ends everything in order. Header <see cref="Messages.PowerRequest"/>.</summary>
    public const string Power = "power";

    /// <summary>Guest: follows a change of the host. Header <see cref="Messages.HostChange"/>, answer <see cref="Messages.HostChangeReply"/>.</summary>
    public const string HostChanged = "host.changed";

    /// <summary>Guest: says how full its disks are. No header, answer <see cref="Messages.DiskUsageReply"/>.</summary>
    public const string DiskUsage = "disk.usage";

    /// <summary>Guest: renews certificates that are near their end. Header <see cref="Messages.CertificateRenewal"/>, answer <see cref="Messages.CertificateRenewalReply"/>.</summary>
    public const string CertificatesRenew = "certificates.renew";

    /// <summary>Guest: goes on after its memory was resumed, as another instance if it is told so. Header <see cref="Messages.ResumeRequest"/>, answer <see cref="Messages.ResumeReply"/>.</summary>
    public const string Resume = "resume";

    /// <summary>Guest: makes itself ready to have its memory saved. Header <see cref="Messages.SnapshotPreparation"/>, answer <see cref="Messages.SnapshotPrepared"/>.</summary>
    public const string SnapshotPrepare = "snapshot.prepare";

    /// <summary>Guest: lets go of what it held still for a snapshot. Neither header nor answer.</summary>
    public const string SnapshotOver = "snapshot.over";

    /// <summary>Host: takes the guest's reports. Opened by the guest, no header.</summary>
    public const string Events = "events";
}

/// <summary>Kinds of messages, one table for all services.</summary>
public static class MessageKinds
{
    /// <summary>A service's answer to a call; any number of them make up one answer.</summary>
    public const byte Reply = 0x01;

    /// <summary>To the guest: bytes for the program's stdin. The stream's END is its end-of-file.</summary>
    public const byte Stdin = 0x10;

    /// <summary>From the guest: JSON <see cref="Messages.ExecStarted"/>.</summary>
    public const byte Started = 0x11;

    /// <summary>From the guest: bytes of the program's stdout, or of its terminal.</summary>
    public const byte Stdout = 0x12;

    /// <summary>From the guest: bytes of the program's stderr.</summary>
    public const byte Stderr = 0x13;

    /// <summary>From the guest, last: JSON <see cref="Messages.ExecResult"/>.</summary>
    public const byte Exit = 0x14;

    /// <summary>From the guest, first: JSON <see cref="Messages.FileDescription"/>.</summary>
    public const byte FileDescription = 0x20;

    /// <summary>Bytes of a file, either way.</summary>
    public const byte FileData = 0x21;

    /// <summary>From the guest, last: JSON <see cref="Messages.FileWritten"/>.</summary>
    public const byte FileWritten = 0x22;

    /// <summary>From the guest: JSON <see cref="Messages.StageReport"/>.</summary>
    public const byte StageReport = 0x30;

    /// <summary>Either way: JSON <see cref="Messages.TreeEntry"/>.</summary>
    public const byte TreeEntry = 0x40;

    /// <summary>Either way: u64 offset, bytes of the file begun last.</summary>
    public const byte TreeData = 0x41;

    /// <summary>Either way: u64 length, 32 bytes of SHA-256 over the payloads of the file's <see cref="TreeData"/> and the length.</summary>
    public const byte TreeFileEnd = 0x42;

    /// <summary>Either way, last: JSON <see cref="Messages.TreeSummary"/>.</summary>
    public const byte TreeEnd = 0x43;

    /// <summary>From the guest, when all that was sent is in its place: JSON <see cref="Messages.TreeSummary"/>.</summary>
    public const byte TreeWritten = 0x44;
}

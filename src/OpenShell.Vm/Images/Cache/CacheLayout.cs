namespace OpenShell.Vm.Images.Cache;

/// <summary>Every path in the image cache, in one place. All of it can be deleted at any time while nothing runs; it is built again.</summary>
internal sealed class CacheLayout(string root)
{
    /// <summary>The cache's folder.</summary>
    public string Root { get; } = root;

    /// <summary><c>artifacts/KIND/KEY/</c>: finished artifacts, read-only, never changed. A folder appears here by one rename, when all of it is on disk.</summary>
    public string Artifacts => Path.Combine(Root, "artifacts");

    /// <summary><c>building/KIND-KEY/</c>: what is being built; a leftover of an interrupted build is removed by the next.</summary>
    public string Building => Path.Combine(Root, "building");

    /// <summary><c>corrupt/KIND-KEY-TIME/</c>: artifacts set aside because a file no longer has its recorded hash.</summary>
    public string Corrupt => Path.Combine(Root, "corrupt");

    /// <summary><c>locks/*.json</c>: what recipes were resolved to (package versions); only a refresh resolves anew.</summary>
    public string Pins => Path.Combine(Root, "locks");

    /// <summary><c>guards/KIND-KEY</c>: files that a building process holds a lock on; <c>guards/resuming</c>: one that those hold which go on from a memory.</summary>
    public string Guards => Path.Combine(Root, "guards");

    /// <summary><c>packages/SHA256</c>: downloaded packages and source archives, named by content.</summary>
    public string Packages => Path.Combine(Root, "packages");

    /// <summary><c>apt/SUITE/</c>: apt's own state for each suite (package lists), apart from the host's.</summary>
    public string Apt => Path.Combine(Root, "apt");

    /// <summary><c>work/NAME/</c>: what makes later builds faster: compilers' caches, unpacked sources.</summary>
    public string Work => Path.Combine(Root, "work");

    /// <summary><c>logs/KIND.log</c>: output of the tools of the last build of that kind.</summary>
    public string Logs => Path.Combine(Root, "logs");

    /// <summary><c>golden/HASH/</c>: machines with a running cluster, frozen (<see cref="Snapshots.GoldenFiles"/>).</summary>
    public string Golden => Path.Combine(Root, "golden");

    /// <summary>In an artifact's folder: what it is and how it came to be (<see cref="ArtifactRecord"/>).</summary>
    public const string RecordFile = "provenance.json";

    /// <summary>In an artifact's folder: size, times and inode of its files when their hashes were last checked (<see cref="FileStamp"/>).</summary>
    public const string StampsFile = "stamps.json";

    public string Artifact(string kind, string key) => Path.Combine(Artifacts, kind, key);

    public string Guard(string name) => Path.Combine(Guards, name);

    public string WorkFolder(string name) => Path.Combine(Work, name);

    public string Log(string kind) => Path.Combine(Logs, kind + ".log");

    public string Package(string sha256) => Path.Combine(Packages, sha256);

    public string Pin(string name) => Path.Combine(Pins, name + ".json");
}

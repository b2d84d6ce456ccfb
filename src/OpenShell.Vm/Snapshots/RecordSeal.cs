using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OpenShell.Vm.Snapshots;

/// <summary>The seal by which one flipped bit in what is written down of a memory is found.</summary>
internal static class RecordSeal
{
    /// <summary>SHA-256 of a record as it is written without its seal.</summary>
    internal static string Of<T>(T withoutSeal, JsonTypeInfo<T> type) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(withoutSeal, type)));

    /// <summary>Whether a file is what was written: a name in it that is read as another, or not at all, is as bad as a value.</summary>
    /// <param name="content">The file.</param>
    /// <param name="sealedAnew">What was read of it, with the seal that this has.</param>
    /// <param name="type">How it is written.</param>
    internal static bool Fits<T>(ReadOnlySpan<byte> content, T sealedAnew, JsonTypeInfo<T> type) => content.SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(sealedAnew, type));
}

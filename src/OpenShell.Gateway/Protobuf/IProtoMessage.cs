namespace OpenShell.Gateway.Protobuf;

/// <summary>
/// A message of a .proto under <c>proto/</c>, written by hand: the few that there are cost less than a runtime with reflection would in a
/// native program (docs/adr/0011). The tests compare each with what protoc makes of the same .proto.
/// </summary>
internal interface IProtoMessage<TSelf>
    where TSelf : IProtoMessage<TSelf>
{
    /// <summary>Reads all fields that are left; fields that are not known are skipped.</summary>
    /// <exception cref="InvalidDataException">These bytes are no message.</exception>
    static abstract TSelf Read(ref ProtoReader reader);

    /// <summary>Writes all fields that are not their default.</summary>
    void Write(ProtoWriter writer);
}

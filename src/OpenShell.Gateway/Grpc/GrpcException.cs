namespace OpenShell.Gateway.Grpc;

/// <summary>Ends a call with a status other than OK. Its message goes to the client, so it says nothing that the client may not know.</summary>
internal sealed class GrpcException(GrpcStatusCode status, string message, Exception? cause = null) : Exception(message, cause)
{
    public GrpcStatusCode Status { get; } = status;
}

using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>What a request must be like beyond its JSON.</summary>
internal static class ExecRequestRules
{
    /// <exception cref="MuxStreamException">A rule is broken.</exception>
    public static ExecRequest Check(string service, ExecRequest request)
    {
        if (request.Arguments.Concat(request.Environment).Append(request.Program).Append(request.WorkingDirectory ?? "/").Any(IsNoCString))
            throw ServiceJson.Invalid(service, "programs, arguments and variables are texts without NUL.");
        if (request.Environment.Any(variable => variable.IndexOf('=', StringComparison.Ordinal) < 1))
            throw ServiceJson.Invalid(service, "a variable is KEY=VALUE.");
        if (request.WorkingDirectory?.StartsWith('/') == false)
            throw ServiceJson.Invalid(service, "the working directory is not absolute.");
        if (request.Size is not null)
            Check(service, request.Size);
        return request;
    }

    /// <inheritdoc cref="Check(string, ExecRequest)"/>
    public static void Check(string service, TerminalSize size)
    {
        if (size.Columns is < 1 or > ushort.MaxValue || size.Rows is < 1 or > ushort.MaxValue)
            throw ServiceJson.Invalid(service, $"a terminal of {size.Columns} by {size.Rows}.");
    }

    /// <summary>JSON arrays may hold nulls that the type does not show.</summary>
    private static bool IsNoCString(string? text) => text is null || text.Contains('\0', StringComparison.Ordinal);
}

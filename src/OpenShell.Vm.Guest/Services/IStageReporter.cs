using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Services;

/// <summary>Who is told what happens: the host, by stage reports, and the console.</summary>
internal interface IStageReporter
{
    /// <summary>Something happened to a stage.</summary>
    void Report(string stage, StageState state, string? detail = null, GuestFault? fault = null, ServiceEnd? ended = null);
}

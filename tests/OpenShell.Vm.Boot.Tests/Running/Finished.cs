using System.Text;

namespace OpenShell.Vm.Boot.Tests.Running;

/// <summary>How a program on the host ended.</summary>
internal sealed record Finished(string Line, int ExitCode, byte[] Output, byte[] Errors, TimeSpan Elapsed)
{
    public string Out => Encoding.UTF8.GetString(Output);

    public string Err => Encoding.UTF8.GetString(Errors);

    /// <summary>The output, after making sure that the program ended with 0.</summary>
    public string OrFail()
    {
        ExitCode.ShouldBe(0, ToString());
        return Out;
    }

    public override string ToString() => $"{Line}\n-> {ExitCode} after {Elapsed.TotalSeconds:0.0} s\n{Tail(Out)}{Tail(Err)}";

    private static string Tail(string text) => text.Length <= 4000 ? text : "… " + text[^4000..];
}

using System.Globalization;
using System.Security;
using System.Text;

namespace OpenShell.Vm.LoginServices;

/// <summary>A launch agent of macOS (https://www.manpagez.com/man/5/launchd.plist/). Pure; written by its manual, and not run yet.</summary>
internal static class LaunchAgent
{
    internal static string LabelOf(string instance) => "openshell-vm." + instance;

    internal static string FileOf(string instance) => LabelOf(instance) + ".plist";

    /// <summary>A path as it stands in the list, in a line of its own.</summary>
    internal static string PathLine(string path) => $"<string>{SecurityElement.Escape(path)}</string>";

    /// <summary>The property list.</summary>
    internal static string Text(ServiceDescription service)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
            <!-- {ServiceDescription.Mark} -->
            <plist version="1.0">
            <dict>
              <key>Label</key>
              <string>{LabelOf(service.Instance)}</string>
              <key>ProgramArguments</key>
              <array>

            """);
        foreach (var word in service.Command)
            text.Append(CultureInfo.InvariantCulture, $"    <string>{SecurityElement.Escape(word)}</string>\n");
        text.Append("  </array>\n");
        if (service.Environment.Count > 0)
        {
            text.Append("  <key>EnvironmentVariables</key>\n  <dict>\n");
            foreach (var (name, value) in service.Environment)
                text.Append(CultureInfo.InvariantCulture, $"    <key>{SecurityElement.Escape(name)}</key>\n    <string>{SecurityElement.Escape(value)}</string>\n");
            text.Append("  </dict>\n");
        }

        // Not KeepAlive: launchd has no exit code that means "runs already", and would start it again and again.
        text.Append(CultureInfo.InvariantCulture, $"""
              <key>RunAtLoad</key>
              <true/>
              <key>ExitTimeOut</key>
              <integer>{ServiceDescription.StopSeconds}</integer>
              <key>ProcessType</key>
              <string>Interactive</string>
              <key>StandardOutPath</key>
              {PathLine(service.Log)}
              <key>StandardErrorPath</key>
              {PathLine(service.Log)}
            </dict>
            </plist>

            """);
        return text.ToString();
    }
}

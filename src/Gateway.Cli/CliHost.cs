using System.Text;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Gateway.Cli.Terminals;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli;

/// <summary>
/// Everything outside of the command that it touches: streams, environment, the library. Tests make their own. Nothing is made before it is
/// used: <c>gateway --help</c> pays for nothing but the parser.
/// </summary>
internal sealed class CliHost
{
    private readonly Lazy<HostDirectories> _directories;
    private readonly Lazy<IInstances> _instances;
    private readonly Lazy<IImages> _images;

    private CliHost(TextWriter output, TextWriter error, Func<HostDirectories> directories, Func<HostDirectories, IInstances> instances, Func<HostDirectories, IImages> images)
    {
        Out = output;
        Error = error;
        _directories = new Lazy<HostDirectories>(directories);
        _instances = new Lazy<IInstances>(() => instances(Directories));
        _images = new Lazy<IImages>(() => images(Directories));
    }

    /// <summary>What was asked for goes here.</summary>
    public TextWriter Out { get; }

    /// <summary>Progress and failures go here.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether <see cref="Out"/> is a terminal.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether <see cref="Error"/> is a terminal.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>The environment.</summary>
    public Func<string, string?> Variable { get; init; } = _ => null;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The program and its first arguments by which this same program is started again.</summary>
    public IReadOnlyList<string> Self { get; init; } = [];

    /// <summary>Names the script ./gateway of a clone to the program that it has built and becomes.</summary>
    public const string ScriptVariable = "OPENSHELL_VM_COMMAND";

    /// <summary>The same for what is written down and read much later: the script by which this program was started, since its builds go when their sources change; without one, <see cref="Self"/>.</summary>
    public IReadOnlyList<string> LastingSelf => Variable(ScriptVariable) is { Length: > 0 } script && Path.IsPathRooted(script) && File.Exists(script) ? [script] : Self;

    /// <summary>The host's packages.</summary>
    public IHostPackages Packages { get; init; } = new RealHostPackages();

    /// <summary>The folders of this user.</summary>
    public HostDirectories Directories => _directories.Value;

    /// <summary>The instances of this user.</summary>
    public IInstances Instances => _instances.Value;

    /// <summary>The images of this user.</summary>
    public IImages Images => _images.Value;

    /// <summary>Whether to use colours and move the cursor on stderr. NO_COLOR: https://no-color.org.</summary>
    public bool ErrorIsRich => ErrorIsTerminal && Variable("TERM") is not (null or "" or "dumb");

    /// <summary>Whether colours are wanted.</summary>
    public bool Colors => Variable("NO_COLOR") is null or "";

    /// <summary>The surroundings of this process, with the real library unless another is given.</summary>
    public static CliHost ForProcess(IInstances? instances = null, IImages? images = null, IHostPackages? packages = null)
    {
        var self = SelfCommand();
        return new CliHost(
            Writer(LibC.Stdout),
            Writer(LibC.Stderr),
            HostDirectories.FromEnvironment,
            directories => instances ?? new LocalInstances(new InstancesOptions
            {
                Directories = directories,
                KvmProbeCommand = [.. self, HiddenCommands.KvmProbe],
                VmmCommand = [.. self, HiddenCommands.Vmm],
            }),
            directories => images ?? new ImageBuilder(directories))
        {
            Packages = packages ?? new RealHostPackages(),
            OutIsTerminal = LibC.IsTerminal(LibC.Stdout),
            ErrorIsTerminal = LibC.IsTerminal(LibC.Stderr),
            Variable = Environment.GetEnvironmentVariable,
            Self = self,
        };

        // Console.Out would put the terminal into a mode of its own and load terminfo; a plain writer does neither.
        static TextWriter Writer(int descriptor) => TextWriter.Synchronized(
            new StreamWriter(new DescriptorStream(descriptor, FileAccess.Write), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true });
    }

    /// <summary>Surroundings made up by a test.</summary>
    public static CliHost ForTests(TextWriter output, TextWriter error, HostDirectories directories, IInstances instances, IImages images) =>
        new(output, error, () => directories, _ => instances, _ => images);

    /// <summary>What this program was compiled to: a library that is run by .NET, or, as native code, the program itself.</summary>
    internal static string ProgramFile => File.Exists(Library) ? Library : Environment.ProcessPath!;

    private static string Library => Path.Combine(AppContext.BaseDirectory, "gateway.dll");

    // Started as "dotnet gateway.dll" the process's path is dotnet's.
    private static IReadOnlyList<string> SelfCommand() =>
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) != "dotnet" ? [path] : [Environment.ProcessPath ?? "dotnet", Library];
}

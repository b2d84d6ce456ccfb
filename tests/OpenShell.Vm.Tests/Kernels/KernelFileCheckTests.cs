using OpenShell.Vm.Interop;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Kernels;

/// <summary>What a user names as a kernel, or as something to compare kernels with, is looked at without hanging on it.</summary>
public sealed class KernelFileCheckTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_and_what_begins_like_a_kernel_are_let_pass()
    {
        KernelFileCheck.Fault("debian").ShouldBeNull();
        KernelFileCheck.Fault(Write("elf", [0x7f, .. "ELF"u8, .. new byte[100]])).ShouldBeNull();
        KernelFileCheck.Fault(Write("bz", [.. new byte[0x202], .. "HdrS"u8, .. new byte[100]])).ShouldBeNull();
        KernelFileCheck.Fault(Write("arm", [.. new byte[56], .. "ARM\x64"u8, .. new byte[100]])).ShouldBeNull();
    }

    [Fact]
    public void Anything_else_is_refused_with_the_reason()
    {
        KernelFileCheck.Fault(_folder.File("nothing"))!.What.ShouldContain("there is no such file");
        KernelFileCheck.Fault(_folder.Path)!.What.ShouldContain("it is a folder");
        KernelFileCheck.Fault(Write("script", [.. "#!/bin/bash\necho hi\n"u8]))!.What.ShouldContain("it is no kernel");
        KernelFileCheck.Fault(Write("empty", []))!.What.ShouldContain("empty");
        KernelFileCheck.Fault("/dev/zero")!.IsUsage.ShouldBeTrue();
    }

    [Fact]
    public void A_pipe_and_a_device_without_end_do_not_hang()
    {
        var pipe = NamedPipe.Make(_folder.File("pipe"));

        Should.Throw<InvalidDataException>(() => RegularFile.Read(pipe, 100));
        Should.Throw<InvalidDataException>(() => KernelColumn.OfFile("a", pipe));
        Should.Throw<InvalidDataException>(() => KernelColumn.OfFile("a", "/dev/zero"));
        Should.Throw<InvalidDataException>(() => KernelColumn.OfFile("a", Write("script", [.. "#!/bin/bash\necho hi\n"u8])));
    }

    private string Write(string name, byte[] content)
    {
        File.WriteAllBytes(_folder.File(name), content);
        return _folder.File(name);
    }
}

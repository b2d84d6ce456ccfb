using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>A NULL-terminated array of C strings, as execve(2) wants it, in native memory.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly int _count;

    /// <exception cref="ArgumentException">A string holds a NUL: C would cut it there.</exception>
    public NativeStrings(IReadOnlyList<string> strings)
    {
        foreach (var text in strings)
        {
            if (text.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("An argument or variable of a program cannot hold a NUL character.", nameof(strings));
        }
        _count = strings.Count;
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)_count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < _count; i++)
            Pointer[i] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[i]);
    }

    /// <summary>The array; gone after <see cref="Dispose"/>.</summary>
    public byte** Pointer { get; private set; }

    public void Dispose()
    {
        if (Pointer is null)
            return;
        for (var i = 0; i < _count; i++)
            Marshal.FreeCoTaskMem((nint)Pointer[i]);
        NativeMemory.Free(Pointer);
        Pointer = null;
    }
}

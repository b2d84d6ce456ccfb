using System.Runtime.InteropServices;

namespace OpenShell.Vm.Interop;

/// <summary>C strings, and arrays of them that end in NULL, for one call: UTF-8, freed together.</summary>
internal sealed unsafe class NativeArguments : IDisposable
{
    private readonly List<nint> _strings = [];
    private readonly List<nint> _arrays = [];

    internal byte* Add(string text)
    {
        var pointer = Marshal.StringToCoTaskMemUTF8(text);
        _strings.Add(pointer);
        return (byte*)pointer;
    }

    internal byte** Add(IReadOnlyList<string> texts)
    {
        var array = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
        _arrays.Add((nint)array);
        for (var i = 0; i < texts.Count; i++)
            array[i] = Add(texts[i]);
        return array;
    }

    public void Dispose()
    {
        foreach (var pointer in _strings)
            Marshal.FreeCoTaskMem(pointer);
        foreach (var array in _arrays)
            NativeMemory.Free((void*)array);
    }
}

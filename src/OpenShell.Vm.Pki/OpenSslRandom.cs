using System.Runtime.InteropServices;

namespace OpenShell.Vm.Pki;

/// <summary>
/// The random generator of OpenSSL 3 in this process, from which .NET takes keys, nonces and serial numbers. It lives in the process's memory: two machines that were resumed from one
/// memory image would go on with the same numbers.
/// </summary>
/// <remarks>
/// <c>RAND_add</c> reseeds the primary generator, from the kernel's and with what is given along; those of the threads compare the primary's count of reseeds before each use and reseed from it when it has
/// changed (https://github.com/openssl/openssl/blob/openssl-3.0/providers/implementations/rands/drbg_local.h: "its sole purpose is to ensure that any randomness which is added by PROV_add() or
/// PROV_seed() will have an immediate effect"; https://docs.openssl.org/3.0/man3/RAND_add/). So the kernel's must have been reseeded before.
/// </remarks>
internal static unsafe partial class OpenSslRandom
{
    // The soname: what .NET has loaded already, since it uses no other version of OpenSSL where this one is.
    private const string Library = "libcrypto.so.3";

    /// <summary>Mixes something in, and the kernel's randomness with it, for every thread.</summary>
    /// <returns>Whether it was; not on a system without OpenSSL 3.</returns>
    public static bool Stir(ReadOnlySpan<byte> seed)
    {
        try
        {
            fixed (byte* start = seed)
            {
                // No entropy is claimed for it: that is the kernel's to give.
                Add(start, seed.Length, 0);
            }

            return Status() == 1;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    // Safe: the bytes are only read during the call. void RAND_add(const void *buf, int num, double randomness)
    [LibraryImport(Library, EntryPoint = "RAND_add")]
    private static partial void Add(byte* data, int length, double entropy);

    // int RAND_status(void): 1 when the generator is seeded.
    [LibraryImport(Library, EntryPoint = "RAND_status")]
    private static partial int Status();
}

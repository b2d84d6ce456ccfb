using System.Runtime.InteropServices;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.Pki;

/// <summary>Against the real OpenSSL of this process: what its documentation does not promise in so many words is read from its own counters.</summary>
public sealed unsafe partial class OpenSslRandomTests
{
    [Fact]
    public void A_stir_reseeds_the_primary_generator_at_once_and_a_threads_own_before_its_next_number()
    {
        // A thread's generators are made when it first asks.
        _ = Next();
        var (primary, own) = (Reseeds(Primary(null)), Reseeds(Public(null)));

        OpenSslRandom.Stir("a seed"u8).ShouldBeTrue();
        Reseeds(Primary(null)).ShouldBeGreaterThan(primary);
        Reseeds(Public(null)).ShouldBe(own);

        _ = Next();
        Reseeds(Public(null)).ShouldBeGreaterThan(own);
    }

    [Fact]
    public void Numbers_without_a_stir_need_no_reseed()
    {
        _ = Next();
        var own = Reseeds(Public(null));

        _ = Next();

        Reseeds(Public(null)).ShouldBe(own);
    }

    private static ulong Next()
    {
        ulong number;
        Bytes(&number, sizeof(ulong)).ShouldBe(1);
        return number;
    }

    /// <summary>OSSL_DRBG_PARAM_RESEED_COUNTER, https://docs.openssl.org/3.0/man3/EVP_RAND/</summary>
    private static uint Reseeds(void* generator)
    {
        uint count = 0;
        fixed (byte* name = "reseed_counter\0"u8)
        {
            // Ended by one without a name.
            var parameters = stackalloc Parameter[2];
            parameters[0] = new Parameter { Name = name, Type = 2, Data = &count, Size = sizeof(uint) };
            parameters[1] = default;
            Parameters(generator, parameters).ShouldBe(1);
        }

        return count;
    }

    // struct ossl_param_st of openssl/core.h; type 2 is an unsigned integer. The length that is returned, in its last eight bytes, is of no interest.
    [StructLayout(LayoutKind.Sequential, Size = 40)]
    private struct Parameter
    {
        public byte* Name;
        public uint Type;
        public void* Data;
        public nuint Size;
    }

    [LibraryImport("libcrypto.so.3", EntryPoint = "RAND_bytes")]
    private static partial int Bytes(void* buffer, int length);

    [LibraryImport("libcrypto.so.3", EntryPoint = "RAND_get0_primary")]
    private static partial void* Primary(void* library);

    [LibraryImport("libcrypto.so.3", EntryPoint = "RAND_get0_public")]
    private static partial void* Public(void* library);

    [LibraryImport("libcrypto.so.3", EntryPoint = "EVP_RAND_CTX_get_params")]
    private static partial int Parameters(void* generator, Parameter* parameters);
}

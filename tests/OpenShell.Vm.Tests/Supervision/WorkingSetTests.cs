using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Supervision;

public sealed class WorkingSetTests
{
    private const string Smaps = """
        55d0a0000000-55d0a0010000 r--p 00000000 fe:00 100                        /usr/bin/program
        Size:                 64 kB
        Anonymous:             0 kB
        VmFlags: rd mr mw me
        55d0a0010000-55d0a0020000 r-xp 00010000 fe:00 100                        /usr/bin/a program
        Anonymous:             0 kB
        55d0a0020000-55d0a0030000 r--p 00020000 fe:00 100                        /usr/bin/relocated
        Anonymous:             4 kB
        55d0a0030000-55d0a0040000 rw-p 00030000 fe:00 100                        /usr/bin/written
        Anonymous:             0 kB
        55d0a0040000-55d0a0050000 r--s 00000000 fe:00 101                        /usr/share/shared
        Anonymous:             0 kB
        55d0a0050000-55d0a0060000 r-xp 00000000 00:01 102                        /memfd:doublemapper (deleted)
        Anonymous:             0 kB
        55d0a0060000-55d0a0070000 r--p 00000000 00:00 0
        Anonymous:             0 kB
        55d0a0070000-55d0a0080000 r--p 00000000 00:00 0                          [vvar]
        Anonymous:             0 kB
        55d0a0080000-55d0a0090000 ---p 00000000 fe:00 103                        /usr/lib/guard
        Anonymous:             0 kB
        """;

    [Fact]
    public void Only_what_can_be_read_again_from_its_file_is_let_go() =>
        WorkingSet.Unchanged(Smaps.Split('\n')).ShouldBe([(unchecked((nint)0x55d0a0000000), (nuint)0x10000), (unchecked((nint)0x55d0a0010000), (nuint)0x10000)]);

    [Fact]
    public void A_process_goes_on_after_it_with_less()
    {
        var kept = Enumerable.Range(0, 1000).ToDictionary(i => i, i => i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var before = Resident();

        WorkingSet.Trim();

        Resident().ShouldBeLessThan(before);
        kept.Sum(pair => pair.Value.Length).ShouldBe(2890);
        WorkingSet.Unchanged(File.ReadAllLines("/proc/self/smaps")).ShouldNotBeEmpty();
    }

    // statm(5): pages; the second number is what is there.
    private static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
}

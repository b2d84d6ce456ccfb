using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Volumes;

namespace OpenShell.Vm.Guest.Tests.Cluster.Volumes;

public sealed class VolumePlanTests
{
    private const string Node = "gw", Uid = "11111111-2222-3333-4444-555555555555", Name = "pvc-" + Uid;

    private static readonly VolumeClass Class = new("local-path", VolumeLayout.Provisioner, "Delete", WaitsForPod: true);

    [Fact]
    public void A_claim_waits_for_the_pod_that_wants_it()
    {
        Plan(Claim(node: null)).ShouldBeEmpty();
        Plan(Claim()).ShouldHaveSingleItem().ShouldBeOfType<VolumeStep.MakeVolume>().Class.ShouldBe(Class);
        Plan(Claim(node: null), type: Class with { WaitsForPod = false }).ShouldHaveSingleItem().ShouldBeOfType<VolumeStep.MakeVolume>();
    }

    [Fact]
    public void The_node_that_was_chosen_must_be_the_one_that_is_there() =>
        Plan(Claim(node: "another")).ShouldHaveSingleItem().ShouldBeOfType<VolumeStep.ForgetNode>();

    [Fact]
    public void Claims_of_others_are_not_touched()
    {
        Plan(Claim(provisioner: "example.org/other")).ShouldBeEmpty();
        Plan(Claim(provisioner: null)).ShouldBeEmpty();
        Plan(Claim(), type: Class with { Provisioner = "example.org/other" }).ShouldBeEmpty();
        Plan(Claim(extra: """, "volumeName":"by-hand" """)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"accessModes":["ReadWriteMany"]}""", "ReadWriteMany")]
    [InlineData("""{"accessModes":["ReadWriteOnce","ReadOnlyMany"]}""", "ReadOnlyMany")]
    [InlineData("""{"accessModes":["ReadWriteOnce"],"volumeMode":"Block"}""", "Block")]
    [InlineData("""{"accessModes":["ReadWriteOnce"],"selector":{"matchLabels":{"a":"b"}}}""", "selector")]
    [InlineData("""{"accessModes":["ReadWriteOnce"],"dataSource":{"kind":"PersistentVolumeClaim","name":"x"}}""", "data source")]
    public void What_a_folder_cannot_be_is_refused_with_the_reason_whatever_the_node(string spec, string reason)
    {
        var claim = ReadClaim(spec.Insert(1, "\"storageClassName\":\"local-path\","), node: null);

        Plan(claim).ShouldHaveSingleItem().ShouldBeOfType<VolumeStep.Refuse>().Why.ShouldContain(reason);
    }

    [Fact]
    public void A_volume_is_asked_to_go_when_its_claim_has_gone()
    {
        Plan(Volume("Released")).ShouldHaveSingleItem().ShouldBeOfType<VolumeStep.Release>();
        Plan(Volume("Bound")).ShouldBeEmpty();
        Plan(Volume("Released", policy: "Retain")).ShouldBeEmpty();
    }

    [Fact]
    public void Its_folder_goes_first_and_then_it_is_let_go() =>
        Plan(Volume("Released", deleted: true)).Select(s => s.GetType()).ShouldBe([typeof(VolumeStep.DeleteFolder), typeof(VolumeStep.Forget)]);

    [Fact]
    public void One_that_is_to_be_retained_is_let_go_with_its_data_left_alone() =>
        Plan(Volume("Released", policy: "Retain", deleted: true)).ShouldHaveSingleItem().ShouldBeOfType<VolumeStep.Forget>();

    [Fact]
    public void One_that_a_claim_still_has_keeps_its_folder_even_when_somebody_deletes_it()
    {
        Plan(Volume("Bound", deleted: true)).ShouldBeEmpty();
        Plan(Volume("Released", deleted: true, finalizers: $"\"{VolumeLayout.ProtectionFinalizer}\",\"{VolumeLayout.Finalizer}\"")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("by-hand", null, VolumeLayout.Provisioner)]
    [InlineData(Name, "/etc", VolumeLayout.Provisioner)]
    [InlineData(Name, VolumeLayout.Folder + "/pvc-" + Uid + "/..", VolumeLayout.Provisioner)]
    [InlineData("pvc-..", VolumeLayout.Folder + "/pvc-..", VolumeLayout.Provisioner)]
    [InlineData(Name, VolumeLayout.Folder + "/" + Name, "example.org/other")]
    public void A_volume_that_is_not_exactly_as_it_is_made_here_is_never_touched(string name, string? path, string by)
    {
        var volume = Read(name, path, by, "Released", "Delete", deleted: true, $"\"{VolumeLayout.Finalizer}\"");

        volume.IsOf(VolumePlace.Guest).ShouldBeFalse();
        Plan(volume).ShouldBeEmpty();
    }

    /// <summary>A world in which the power fails after any number of steps, and a new look begins with what is there.</summary>
    [Fact]
    public void After_a_crash_at_any_instant_the_next_look_finishes_and_nothing_is_left_over()
    {
        for (var crash = 0; crash < 6; crash++)
        {
            var world = new World();
            world.Run(stepsBeforeCrash: crash);
            world.Run();
            (world.Volume, world.HasFolder).ShouldBe(("Bound", true), $"made, with a crash after {crash} steps");
            world.ClaimGone = true;
            world.Run(stepsBeforeCrash: crash);
            world.Run();
            (world.Volume, world.HasFolder).ShouldBe((null, false), $"deleted, with a crash after {crash} steps");
        }
    }

    /// <summary>The API server and the disk in miniature: a claim, its volume, its folder.</summary>
    private sealed class World
    {
        private bool _deleted;

        public bool ClaimGone { get; set; }

        public string? Volume { get; private set; }

        public bool HasFolder { get; private set; }

        public void Run(int stepsBeforeCrash = int.MaxValue)
        {
            for (var steps = Look(); steps.Count > 0; steps = Look())
            {
                foreach (var step in steps)
                {
                    if (stepsBeforeCrash-- == 0)
                        return;
                    Take(step);
                    (HasFolder && Volume is null).ShouldBeFalse("a folder is there only while a volume names it");
                }
            }
        }

        private IReadOnlyList<VolumeStep> Look()
        {
            // What the controller manager does meanwhile.
            if (Volume is not null)
                Volume = ClaimGone ? "Released" : "Bound";
            return VolumePlan.Of(
                VolumePlace.Guest,
                Node,
                ClaimGone ? [] : [Volume is null ? Claim() : Claim(extra: $""", "volumeName":"{Name}" """)],
                Volume is null ? [] : [VolumePlanTests.Volume(Volume, deleted: _deleted)],
                [Class],
                _ => HasFolder);
        }

        private void Take(VolumeStep step)
        {
            switch (step)
            {
                case VolumeStep.MakeVolume:
                    Volume = "Available";
                    break;
                case VolumeStep.MakeFolder:
                    HasFolder = true;
                    break;
                case VolumeStep.Release:
                    _deleted = true;
                    break;
                case VolumeStep.DeleteFolder:
                    HasFolder = false;
                    break;
                case VolumeStep.Forget:
                    Volume = null;
                    break;
                default:
                    throw new InvalidOperationException(step.ToString());
            }
        }
    }

    [Fact]
    public void A_volume_is_the_claims_own_with_what_it_asked_for()
    {
        var json = VolumeObjects.VolumeOf(VolumePlace.Guest, Claim(), Class with { ReclaimPolicy = "Retain" }, Node);
        json["metadata"]!["uid"] = "the API server's";
        var volume = JsonDocument.Parse(json.ToJsonString()).RootElement;

        var read = OpenShell.Vm.Guest.Cluster.Volumes.Volume.Read(volume);
        read.IsOf(VolumePlace.Guest).ShouldBeTrue();
        read.ReclaimPolicy.ShouldBe("Retain");
        read.Finalizers.ShouldBe([VolumeLayout.Finalizer]);
        var spec = volume.GetProperty("spec");
        spec.GetProperty("capacity").GetProperty("storage").GetString().ShouldBe("1Gi");
        spec.GetProperty("accessModes").EnumerateArray().Single().GetString().ShouldBe("ReadWriteOnce");
        spec.GetProperty("claimRef").GetProperty("uid").GetString().ShouldBe(Uid);
        spec.GetProperty("nodeAffinity").ToString().ShouldContain("\"gw\"");
    }

    [Fact]
    public void Letting_go_takes_off_our_finalizer_alone() =>
        VolumeObjects.WithoutFinalizer(Volume("Released", finalizers: $"\"a/b\",\"{VolumeLayout.Finalizer}\"")).ToJsonString()
            .ShouldBe("""{"metadata":{"uid":"v","finalizers":["a/b"]}}""");

    private static IReadOnlyList<VolumeStep> Plan(Claim claim, VolumeClass? type = null) => VolumePlan.Of(VolumePlace.Guest, Node, [claim], [], [type ?? Class], _ => false);

    private static IReadOnlyList<VolumeStep> Plan(Volume volume) => VolumePlan.Of(VolumePlace.Guest, Node, [], [volume], [Class], _ => true);

    private static Claim Claim(string? node = Node, string? provisioner = VolumeLayout.Provisioner, string extra = "") => ReadClaim(
        """{"storageClassName":"local-path","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}""" + extra + "}", node, provisioner);

    private static Claim ReadClaim(string spec, string? node = Node, string? provisioner = VolumeLayout.Provisioner)
    {
        var annotations = new List<string>();
        if (provisioner is not null)
            annotations.Add($"\"volume.beta.kubernetes.io/storage-provisioner\":\"{provisioner}\"");
        if (node is not null)
            annotations.Add($"\"volume.kubernetes.io/selected-node\":\"{node}\"");
        return OpenShell.Vm.Guest.Cluster.Volumes.Claim.Read(JsonDocument.Parse(
            $$$"""{"metadata":{"namespace":"shop","name":"data","uid":"{{{Uid}}}","annotations":{{{{string.Join(',', annotations)}}}}},"spec":{{{spec}}}}""").RootElement);
    }

    private static Volume Volume(string phase, string policy = "Delete", bool deleted = false, string finalizers = $"\"{VolumeLayout.Finalizer}\"") =>
        Read(Name, VolumePlace.Guest.PathOf(Name), VolumeLayout.Provisioner, phase, policy, deleted, finalizers);

    private static Volume Read(string name, string? path, string by, string phase, string policy, bool deleted, string finalizers) =>
        OpenShell.Vm.Guest.Cluster.Volumes.Volume.Read(JsonDocument.Parse($$$"""
            {"metadata":{"name":"{{{name}}}","uid":"v","annotations":{"pv.kubernetes.io/provisioned-by":"{{{by}}}"},"finalizers":[{{{finalizers}}}]{{{(deleted ? ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"" : "")}}}},
             "spec":{"persistentVolumeReclaimPolicy":"{{{policy}}}"{{{(path is null ? "" : $",\"local\":{{\"path\":\"{path}\"}}")}}}},"status":{"phase":"{{{phase}}}"}}
            """).RootElement);
}

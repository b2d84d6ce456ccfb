using System.Text.Json;
using System.Text.Json.Serialization;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Protocol.Tests.Messages;

/// <summary>The frozen shape of every JSON message. A new property is a new line here, and optional; none is ever renamed or removed.</summary>
public sealed class JsonGoldenTests
{
    private static readonly byte[] Entropy = [1, 2, 3];

    public static TheoryData<object, string> Messages { get; } = new()
    {
        {
            new Hello { MinVersion = 1, MaxVersion = 2, Nonce = "00ff", Role = "guest", Software = "openshell-init 0.1.0" },
            """{"minVersion":1,"maxVersion":2,"nonce":"00ff","role":"guest","software":"openshell-init 0.1.0"}"""
        },
        { new Welcome { Nonce = "00ff", Version = 1, Epoch = 4294967295 }, """{"nonce":"00ff","version":1,"epoch":4294967295}""" },
        { new Refusal { Nonce = "00ff", MinVersion = 1, MaxVersion = 1 }, """{"nonce":"00ff","minVersion":1,"maxVersion":1}""" },
        {
            new GuestConfig
            {
                Mode = GuestMode.Cluster,
                Hostname = "default",
                HostTimeUnixNanoseconds = 1,
                Entropy = Entropy,
                Network = new GuestNetwork { Address = "192.168.127.2/24", Gateway = "192.168.127.1", DnsServers = ["192.168.127.1"], Closed = ["192.168.127.254"], Open = ["192.168.127.254:3128"] },
                Delivery = true,
                Proxy = new GuestProxy { Http = "http://192.168.127.254:3128", Except = "localhost" },
                Cluster = new ClusterConfig { Distribution = "upstream", GatewayName = "openshell-vm-default", Identity = "id", ApiFront = true },
            },
            """{"mode":"Cluster","hostname":"default","hostTimeUnixNanoseconds":1,"entropy":"AQID","network":{"dhcp":true,"address":"192.168.127.2/24","gateway":"192.168.127.1","dnsServers":["192.168.127.1"],"closed":["192.168.127.254"],"open":["192.168.127.254:3128"]},"delivery":true,"proxy":{"http":"http://192.168.127.254:3128","except":"localhost"},"cluster":{"distribution":"upstream","gatewayName":"openshell-vm-default","subjectAlternativeNames":[],"gatewayNodePort":30051,"identity":"id","apiFront":true}}"""
        },
        {
            new ExecRequest { Program = "ls", Arguments = ["-l"], Environment = ["A=1"], WorkingDirectory = "/", Terminal = true, Stdin = true, Size = new TerminalSize(80, 24) },
            """{"program":"ls","arguments":["-l"],"environment":["A=1"],"workingDirectory":"/","terminal":true,"stdin":true,"size":{"columns":80,"rows":24}}"""
        },
        { new ExecStarted("ab", 12), """{"id":"ab","pid":12}""" },
        { new ExecSignal("ab", 15), """{"id":"ab","signal":15}""" },
        { new ExecResize("ab", new TerminalSize(80, 24)), """{"id":"ab","size":{"columns":80,"rows":24}}""" },
        { new ExecResult { ExitCode = 127, Error = "not found" }, """{"exitCode":127,"error":"not found"}""" },
        { new FileReadRequest("/a"), """{"path":"/a"}""" },
        { new FileDescription(5, 384), """{"size":5,"mode":384}""" },
        { new FileWriteRequest("/a", 384), """{"path":"/a","mode":384}""" },
        { new FileWritten(5), """{"size":5}""" },
        {
            new DeliveryIndex
            {
                Authorities = "ca.crt",
                Manifests = [new DeliveredFile("000-a.yaml", "manifests/000-a.yaml", "ab")],
                Mirrors = [new DeliveredMirror { Upstream = "*", Url = "https://m", User = "me", Password = "p" }],
            },
            """{"authorities":"ca.crt","manifests":[{"name":"000-a.yaml","entry":"manifests/000-a.yaml","sha256":"ab"}],"images":[],"charts":[],"mirrors":[{"upstream":"*","url":"https://m","user":"me","password":"p"}]}"""
        },
        { new TreeReadRequest("/a", true), """{"path":"/a","followLink":true}""" },
        { new TreeWriteRequest("/a", "b", true), """{"path":"/a","name":"b","contents":true}""" },
        { new TreeEntry { Path = "a/b", Kind = TreeEntryKind.File, Mode = 420, Modified = 7, Size = 5 }, """{"path":"a/b","kind":"File","mode":420,"modified":7,"size":5}""" },
        { new TreeEntry { Path = "", Kind = TreeEntryKind.Folder }, """{"path":"","kind":"Folder"}""" },
        { new TreeEntry { Path = "l", Kind = TreeEntryKind.Link, Target = "t" }, """{"path":"l","kind":"Link","target":"t"}""" },
        { new TreeSummary(3, 5, 1), """{"entries":3,"bytes":5,"leftOut":1}""" },
        { new GuestMount("openshell0", "/mnt/src", GuestMount.Plan9, true), """{"tag":"openshell0","path":"/mnt/src","type":"9p","readOnly":true}""" },
        { new HostChange { HostTimeUnixNanoseconds = 7, Network = true }, """{"hostTimeUnixNanoseconds":7,"network":true}""" },
        { new HostChange { HostTimeUnixNanoseconds = 7, OnlyCompares = true }, """{"hostTimeUnixNanoseconds":7,"network":false,"onlyCompares":true}""" },
        { new HostChangeReply { ClockOffsetNanoseconds = -5, Told = ["dns"] }, """{"clockOffsetNanoseconds":-5,"told":["dns"]}""" },
        { new HostChangeReply { Told = [] }, """{"told":[]}""" },
        { new ServiceEnd { Restarts = 1 }, """{"restarts":1}""" },
        { new CertificateRenewal(604800), """{"withinSeconds":604800}""" },
        { new CertificateRenewalReply(["apiserver"], ["kube-apiserver"]), """{"renewed":["apiserver"],"replaced":["kube-apiserver"]}""" },
        { new GuestFault("c", "w", "r"), """{"code":"c","what":"w","remedy":"r"}""" },
        { new TerminalSize(80, 24), """{"columns":80,"rows":24}""" },
        { new DiskUsageReply([new DiskUsage("/var/lib/openshell", 10, 3)]), """{"disks":[{"path":"/var/lib/openshell","totalBytes":10,"freeBytes":3}]}""" },
        {
            new ResumeRequest
            {
                HostTimeUnixNanoseconds = 7,
                Entropy = Entropy,
                Identity = "id",
                GatewayName = "openshell-vm-a",
                MachineId = "00ff",
                Credentials = new Dictionary<string, CertificatePair> { ["gateway-ca"] = new("c", "k") },
            },
            """{"hostTimeUnixNanoseconds":7,"entropy":"AQID","identity":"id","gatewayName":"openshell-vm-a","machineId":"00ff","credentials":{"gateway-ca":{"certificate":"c","key":"k"}}}"""
        },
        { new ResumeRequest { HostTimeUnixNanoseconds = 7, Entropy = Entropy }, """{"hostTimeUnixNanoseconds":7,"entropy":"AQID"}""" },
        { new ResumeReply(5, ["p"]), """{"guestTimeUnixNanoseconds":5,"problems":["p"]}""" },
        { new SnapshotPreparation { Reclaim = true }, """{"reclaim":true}""" },
        { new SnapshotPrepared(9, 5, []), """{"totalBytes":9,"freeBytes":5,"problems":[]}""" },
        { new PowerRequest(PowerAction.Off), """{"action":"Off"}""" },
        {
            new StageReport { Stage = "init", State = StageState.Failed, UptimeNanoseconds = 7, Detail = "d", Fault = new GuestFault("c", "w", "r") },
            """{"stage":"init","state":"Failed","uptimeNanoseconds":7,"detail":"d","fault":{"code":"c","what":"w","remedy":"r"}}"""
        },
        {
            new StageReport { Stage = "services/dns", State = StageState.Failed, UptimeNanoseconds = 7, Ended = new ServiceEnd { ExitCode = 137, Restarts = 2 } },
            """{"stage":"services/dns","state":"Failed","uptimeNanoseconds":7,"ended":{"exitCode":137,"restarts":2}}"""
        },
    };

    [Fact]
    public void No_message_is_missing() =>
        typeof(ProtocolJson).GetCustomAttributesData()
            .Where(attribute => attribute.AttributeType == typeof(JsonSerializableAttribute))
            .Select(attribute => (Type)attribute.ConstructorArguments[0].Value!)
            .Except(Messages.Cast<ITheoryDataRow>().Select(row => row.GetData()[0]!.GetType()))
            .ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_message_has_its_shape_and_is_read_back_the_same(object message, string json)
    {
        var type = message.GetType();
        JsonSerializer.Serialize(message, type, ProtocolJson.Default).ShouldBe(json);
        JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type, ProtocolJson.Default), type, ProtocolJson.Default).ShouldBe(json);
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void What_a_newer_peer_adds_is_skipped(object message, string json)
    {
        var newer = json.Insert(1, "\"later\":{\"than\":[\"this\"]},");

        JsonSerializer.Serialize(JsonSerializer.Deserialize(newer, message.GetType(), ProtocolJson.Default), message.GetType(), ProtocolJson.Default).ShouldBe(json);
    }

    [Fact]
    public void What_may_be_missing_is_empty_then()
    {
        var request = JsonSerializer.Deserialize("""{"program":"ls"}""", ProtocolJson.Default.ExecRequest)!;

        (request.Arguments.Count, request.Environment.Count, request.Terminal, request.Stdin, request.WorkingDirectory).ShouldBe((0, 0, false, false, null));
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize("""{"program":"ls","arguments":null}""", ProtocolJson.Default.ExecRequest));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"id":"ab"}""")]
    [InlineData("""{"id":null,"signal":15}""")]
    [InlineData("""{"id":"ab","signal":"15"}""")]
    [InlineData("""{"id":"ab","signal":99999999999}""")]
    public void What_is_missing_null_or_of_another_type_is_refused(string json) =>
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize(json, ProtocolJson.Default.ExecSignal));
}

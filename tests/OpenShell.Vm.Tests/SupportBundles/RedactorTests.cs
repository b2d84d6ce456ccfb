using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Support.Redaction;

namespace OpenShell.Vm.Tests.SupportBundles;

/// <summary>No secret gets through, and what is none stays.</summary>
public sealed class RedactorTests
{
    private static readonly Redactor Redactor = new([]);

    private static string Text(string text) => Redactor.Redact(text, SupportContent.Text);

    [Theory]
    [InlineData("proxy http://joe:hunter2pass@proxy.example:3128 refused", "hunter2pass")]
    [InlineData("proxy http://joe:hunter@2pass@proxy.example:3128 refused", "2pass")]
    [InlineData("git clone https://mysecrettoken@git.example/x", "mysecrettoken")]
    [InlineData("proxy joe:hunter2pass@proxy.example:3128", "hunter2pass")]
    [InlineData("Authorization: Basic am9lOmh1bnRlcjI=", "am9lOmh1bnRlcjI=")]
    [InlineData("authorization=Bearer abc.def-ghi", "abc.def-ghi")]
    [InlineData("curl -H 'Authorization: Token 0123abcd'", "0123abcd")]
    [InlineData("sent bearer 7Fq8Zx91mmnB", "7Fq8Zx91mmnB")]
    [InlineData("Set-Cookie: session=abcdef0123; path=/", "abcdef0123")]
    [InlineData("password=hunter2", "hunter2")]
    [InlineData("PASSWORD: \"hunter two\"", "hunter two")]
    [InlineData("db_password: 'hunter two'", "hunter two")]
    [InlineData("{\"msg\":\"x\",\"apiKey\":\"k-12345\"", "k-12345")]
    [InlineData("msg=\"{\\\"token\\\": \\\"abc123def\\\"}\"", "abc123def")]
    [InlineData("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG")]
    [InlineData("k3s server --token 54321zyx --debug", "54321zyx")]
    [InlineData("args: [\"--client-secret\", \"zyx98765\"]", "zyx98765")]
    [InlineData("login --password=hunter2 --user joe", "hunter2")]
    [InlineData("machine reg.example login joe password hunter2", "hunter2")]
    [InlineData("//registry.npmjs.org/:_authToken=abcdef", "abcdef")]
    [InlineData("\"auths\":{\"reg.example\":{\"auth\":\"am9lOnB3\"}", "am9lOnB3")]
    [InlineData("K10f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2::server:8b2c", "server:8b2c")]
    [InlineData("join with abcdef.0123456789abcdef now", "0123456789abcdef")]
    [InlineData("using ghp_0123456789abcdefghijklmnopqrstuvwxyz", "ghp_0123")]
    [InlineData("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE")]
    [InlineData("nvapi-0123456789abcdefghij", "0123456789abcdef")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl", "c2lnbmF0dXJl")]
    [InlineData("GET /v2/?access_token=abc123&x=1", "abc123")]
    public void A_secret_in_a_line_is_taken_out(string line, string secret)
    {
        Text(line).ShouldNotContain(secret);
        Text(line).ShouldContain(Redactor.Mark);
        Redactor.Redact(JsonSerializer.Serialize(new Dictionary<string, string> { ["message"] = line }), SupportContent.Json).ShouldNotContain(secret);
    }

    [Theory]
    [InlineData("2026-11-23T02:55:41.123Z qemu started (pid 4711), 127.0.0.1:30051 -> 30051")]
    [InlineData("kubelet: basic authentication is off")]
    [InlineData("image registry.example:5000/team/app:1.0@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    [InlineData("sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    [InlineData("qemu-system-x86_64 -M q35 -drive file=/home/joe/.local/share/openshell-vm/instances/default/state.qcow2,if=none,id=state")]
    [InlineData("the token file is /run/secrets/x; credentialsFile=/home/joe/auth")]
    [InlineData("[    0.000000] Linux version 6.12.107 (gcc (Debian 12.2.0-14) 12.2.0)")]
    public void What_is_no_secret_stays(string line) => Text(line).ShouldBe(line);

    [Theory]
    [InlineData("{0}")]
    [InlineData("kubelet read:\n{0}\nand went on")]
    [InlineData("{0}-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n")]
    public void A_private_key_is_taken_out_whole_escaped_encoded_and_cut(string around)
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        foreach (var pem in (string[])[ec.ExportPkcs8PrivateKeyPem(), ec.ExportECPrivateKeyPem(), rsa.ExportRSAPrivateKeyPem(), "-----BEGIN OPENSSH PRIVATE KEY-----\n" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(300), Base64FormattingOptions.InsertLineBreaks) + "\n-----END OPENSSH PRIVATE KEY-----"])
        {
            var body = pem.ReplaceLineEndings("\n").Split('\n').Where(l => !l.StartsWith('-') && l.Length > 0).ToList();
            var middle = pem.Length / 2;
            string[] forms =
            [
                pem,
                pem.ReplaceLineEndings("\\n"),
                Convert.ToBase64String(Encoding.ASCII.GetBytes(pem)),
                Convert.ToBase64String(Encoding.ASCII.GetBytes(pem + "\n")),
                pem[..middle], // its end was not written
                pem[middle..], // its beginning is in a part that is gone
            ];
            foreach (var form in forms)
            {
                var redacted = Text(string.Format(System.Globalization.CultureInfo.InvariantCulture, around, form));

                foreach (var line in body)
                    redacted.ShouldNotContain(line);
                redacted.ShouldNotContain(Convert.ToBase64String(Encoding.ASCII.GetBytes(pem))[40..80]);
                redacted.ShouldContain(Redactor.Mark);
            }
        }

        if (around.Contains("went on", StringComparison.Ordinal))
            Text(string.Format(System.Globalization.CultureInfo.InvariantCulture, around, ec.ExportPkcs8PrivateKeyPem())).ShouldBe($"kubelet read:\n{Redactor.Mark}\nand went on");
    }

    [Fact]
    public void Json_is_read_by_its_members()
    {
        var json = Redactor.Redact(
            """{"name":"default","token":"aaa","list":{"passwords":["bbb","ccc"]},"exec":{"program":"/bin/sh","environment":["A=ddd","B=eee"]},"deep":{"secretThing":{"x":"fff","n":42}},"env":[{"name":"DB_PASSWORD","value":"ggg"},{"name":"HOME","value":"/root"}],"credentialsFile":"/home/joe/auth","mirror":"http://joe:hhhhhh@mirror/"}""",
            SupportContent.Json);

        foreach (var secret in (string[])["aaa", "bbb", "ccc", "ddd", "eee", "fff", "42", "ggg", "hhhhhh"])
            json.ShouldNotContain(secret);
        foreach (var kept in (string[])["default", "/bin/sh", "A=", "/root", "/home/joe/auth", "mirror/"])
            json.ShouldContain(kept);
        using var _ = JsonDocument.Parse(json);
    }

    [Fact]
    public void Yaml_is_read_by_its_members_and_a_secret_by_its_kind()
    {
        var yaml = Redactor.Redact(
            """
            apiVersion: v1
            kind: Config
            users:
            - name: openshell-default
              user:
                client-certificate-data: Q0VSVA==
                client-key-data: S0VZ
                token: aaaa
                exec: {command: login, env: [{name: API_TOKEN, value: bbbb}]}
            ---
            kind: Secret
            data: {tls.crt: cccc}
            stringData:
              user: dddd
            """,
            SupportContent.Yaml);

        foreach (var secret in (string[])["S0VZ", "aaaa", "bbbb", "cccc", "dddd"])
            yaml.ShouldNotContain(secret);
        foreach (var kept in (string[])["openshell-default", "Q0VSVA==", "command: login"])
            yaml.ShouldContain(kept);
    }

    [Theory]
    [InlineData(SupportContent.Json)]
    [InlineData(SupportContent.JsonLines)]
    [InlineData(SupportContent.Yaml)]
    public void A_document_that_is_broken_is_taken_for_text(SupportContent content) =>
        Redactor.Redact("{ \"token\": \"hunter2\", [ : \n \"password\": \"hunter3\"", content).ShouldSatisfyAllConditions(t => t.ShouldNotContain("hunter2"), t => t.ShouldNotContain("hunter3"));

    [Fact]
    public void What_is_known_to_be_secret_is_taken_out_wherever_it_stands()
    {
        var known = new Redactor(["swordfish", "swordfish-and-more", "tiny"]);

        known.Redact("he said swordfish, then swordfish-and-more; tiny", SupportContent.Text).ShouldBe($"he said {Redactor.Mark}, then {Redactor.Mark}; tiny");
        known.Redact("""{"a":"sword\u0066ish"}""", SupportContent.Json).ShouldNotContain("fish");
    }

    [Fact]
    public void What_a_guest_writes_into_its_console_takes_time_in_proportion()
    {
        // Would take for ever if anything in it went back and forth.
        var hostile = string.Concat(Enumerable.Repeat("password=\"" + new string('\\', 2000) + "a:b:c@@@https://" + new string('a', 3000) + "-----BEGIN PRIVATE KEY", 100));

        Text(hostile).Length.ShouldBeGreaterThan(0);
        Text(new string('A', 1 << 20)).Length.ShouldBeLessThan(1 << 20);
    }
}

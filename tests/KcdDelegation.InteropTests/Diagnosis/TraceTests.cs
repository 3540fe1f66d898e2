using System.Diagnostics;
using System.Globalization;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary><c>kcd trace</c> against real KDCs.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> Realms => ["mit", "samba", "samba22"];

    public static TheoryData<string> RealmsOfBothKinds => ["mit", "samba"];

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task The_transcript_of_a_real_KDC_has_each_exchange_with_its_reply(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();

        var port = realm.Kdc.Port.ToString(CultureInfo.InvariantCulture);

        var (exitCode, output) = await RunAsync(realm, realm.Spn("web"));

        exitCode.ShouldBe(0, output);
        ShouldContainInOrder(
            output,
            "1. log-on", $"address {realm.Kdc.Host}, port {port}, TCP, of realm {realm.Realm}",
            "AS-REQ", $"{realm.Connector} (NT-PRINCIPAL)", "KDC_ERR_PREAUTH_REQUIRED (25)", "PA-ETYPE-INFO2 (19)",
            "2. log-on", "PA-ENC-TIMESTAMP (2)", "AS-REP", "forwardable", "session key",
            "3. S4U2Self", "PA-FOR-USER (129)", $"user alice (NT-PRINCIPAL), realm {realm.Realm}", "TGS-REP", "opened ticket",
            "alice (NT-PRINCIPAL)", "PAC", "server-checksum",
            "4. S4U2Proxy", $"{realm.Spn("web")} (NT-SRV-INST)", "cname-in-addl-tkt", "evidence", "TGS-REP",
            "Ticket", $"alice@{realm.Realm}");
    }

    [Theory]
    [MemberData(nameof(RealmsOfBothKinds))]
    public async Task A_refused_target_is_the_last_exchange_before_the_explained_refusal(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();

        var (exitCode, output) = await RunAsync(realm, realm.Spn("other"));

        exitCode.ShouldBe(1, output);
        ShouldContainInOrder(
            output, "3. S4U2Self", "TGS-REP", "4. S4U2Proxy", "KRB-ERROR", "KDC_ERR_BADOPTION (13)", "server time", "kcd: refused",
            "stage   delegation (S4U2Proxy)", "remedy  ");
    }

    [Fact]
    public async Task A_target_of_a_trusted_realm_shows_the_referrals()
    {
        LabRealm.Mit.Require();
        LabRealm.Mit2.Require();

        var (exitCode, output) = await RunAsync(
            LabRealm.Mit, LabRealm.Mit2.Spn("rbcd"), "--kdc", $"{LabRealm.Mit2.Realm}={LabRealm.Mit2.Kdc}");

        exitCode.ShouldBe(0, output);
        ShouldContainInOrder(
            output, "4. S4U2Proxy", "of realm MIT.TEST", "krbtgt/MIT2.TEST@MIT.TEST",
            "5. referral", "of realm MIT.TEST", "krbtgt/MIT2.TEST@MIT.TEST", "6. referral", "of realm MIT2.TEST",
            "7. S4U2Proxy", "of realm MIT2.TEST", "evidence", "krbtgt/MIT2.TEST@MIT.TEST", "HTTP/rbcd.mit2.test@MIT2.TEST");
    }

    [Theory]
    [MemberData(nameof(RealmsOfBothKinds))]
    public async Task An_anonymous_transcript_of_a_real_KDC_has_none_of_the_names(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();

        var (_, output) = await RunAsync(realm, realm.Spn("other"), "--anonymous");

        ShouldContainInOrder(output, "REALM1", "USER", "S4U2Proxy", "HTTP/HOST", "kcd: refused");
        foreach (var name in new[] { "alice", realm.Domain, "connector", realm.Kdc.Host, "S-1-5-21", Lab.Directory })
            output.ShouldNotContain(name, Case.Insensitive);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(LabRealm realm, string target, params string[] further)
    {
        var build = AppContext.BaseDirectory[AppContext.BaseDirectory.IndexOf("bin/", StringComparison.Ordinal)..];
        var tool = Path.GetFullPath(Path.Combine(Lab.Scripts, "../../src/KcdDelegation.Tool", build, "kcd.dll"));
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = [tool, "trace", "--realm", realm.Realm, "--kdc", realm.Kdc.ToString(), "--account", realm.Connector,
            "--keytab", realm.Keytab("connector"), "--user", "alice", "--spn", target, .. further];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var cancellationToken = TestContext.Current.CancellationToken;
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        (await errors).ShouldBeEmpty();
        return (process.ExitCode, output);
    }

    private static void ShouldContainInOrder(string text, params ReadOnlySpan<string> parts)
    {
        var position = 0;
        foreach (var part in parts)
        {
            var found = text.IndexOf(part, position, StringComparison.Ordinal);
            found.ShouldBeGreaterThanOrEqualTo(0, $"\"{part}\" does not follow in:\n{text[position..]}");
            position = found + part.Length;
        }
    }
}

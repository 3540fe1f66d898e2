using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Tests;

public sealed class KdcLogOnTests
{
    private const string Password = "correct horse";

    [Fact]
    public async Task An_account_logs_on_with_its_password_and_the_salt_from_the_KDC()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password);
        var tgt = await new WireClient(realm, "gw", Password).LogOnAsync();
        tgt.Reply.Client.ToString().ShouldBe("gw");
        tgt.Part.Service.ToString().ShouldBe("krbtgt/CONTOSO.TEST");
        tgt.IsForwardable.ShouldBeTrue();
        realm.Transcript.ShouldBe(["AS gw ok"]);
    }

    [Fact]
    public async Task The_salt_of_a_computer_is_made_from_its_host_name()
    {
        await using var realm = TestRealm.Start().Account("GW$", password: Password);
        var client = new WireClient(realm, "GW$", Password);
        var error = WireClient.ShouldBeError(await client.AskAsync(client.AsBody()), KerberosErrorCode.PreAuthenticationRequired);
        ReadSalt(error).ShouldBe("CONTOSO.TESThostgw.contoso.test");
    }

    [Fact]
    public async Task A_renamed_account_keeps_its_salt()
    {
        await using var realm = TestRealm.Start().Account("new", password: Password, salt: "CONTOSO.TESTold");
        (await new WireClient(realm, "new", Password).LogOnAsync()).Reply.Client.ToString().ShouldBe("new");
        var client = new WireClient(realm, "new", Password);
        var error = WireClient.ShouldBeError(await client.AskAsync(client.AsBody()), KerberosErrorCode.PreAuthenticationRequired);
        ReadSalt(error).ShouldBe("CONTOSO.TESTold");
    }

    [Fact]
    public async Task A_wrong_password_fails_pre_authentication()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password);
        var client = new WireClient(realm, "gw", "wrong");
        var key = client.KeyFrom(KrbError.Decode(await client.AskAsync(client.AsBody())));
        WireClient.ShouldBeError(await client.AskAsync(client.AsBody(), client.Timestamp(key)), KerberosErrorCode.PreAuthenticationFailed);
        realm.Transcript.ShouldBe(["AS gw KDC_ERR_PREAUTH_FAILED"]);
    }

    [Fact]
    public async Task A_clock_six_minutes_ahead_is_refused_with_the_time_of_the_KDC()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password);
        var client = new WireClient(realm, "gw", Password) { ClockAhead = TimeSpan.FromMinutes(6) };
        var key = client.KeyFrom(KrbError.Decode(await client.AskAsync(client.AsBody())));
        var error = WireClient.ShouldBeError(await client.AskAsync(client.AsBody(), client.Timestamp(key)), KerberosErrorCode.Skew);
        (client.Now - error.ServerTime).ShouldBeGreaterThan(TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData("unknown", KerberosErrorCode.ClientPrincipalUnknown)]
    [InlineData("off", KerberosErrorCode.ClientRevoked)]
    [InlineData("rc4", KerberosErrorCode.EncryptionTypeNotSupported)]
    public async Task Accounts_that_cannot_log_on_get_the_code_of_the_reason(string account, KerberosErrorCode code)
    {
        await using var realm = TestRealm.Start().Account("off", disabled: true).Account("rc4", encryptionTypes: [EncryptionType.Rc4Hmac]);
        var client = new WireClient(realm, account, Password);
        WireClient.ShouldBeError(await client.AskAsync(client.AsBody()), code);
    }

    [Fact]
    public async Task The_error_of_a_disabled_account_has_an_NTSTATUS_on_Windows_only()
    {
        await using var windows = TestRealm.Start().Account("gw", disabled: true);
        await using var mit = TestRealm.Start(kind: KdcKind.Mit).Account("gw", disabled: true);
        KerbErrorData.ReadNtStatus(await ErrorDataAsync(windows)).ShouldBe(unchecked((int)0xC0000072));
        KerbErrorData.ReadNtStatus(await ErrorDataAsync(mit)).ShouldBeNull();

        static async Task<ReadOnlyMemory<byte>> ErrorDataAsync(TestRealm realm)
        {
            var client = new WireClient(realm, "gw", Password);
            return KrbError.Decode(await client.AskAsync(client.AsBody())).Data;
        }
    }

    [Fact]
    public async Task New_keys_replace_the_old_ones_at_log_on()
    {
        await using var realm = TestRealm.Start().Account("gw", password: Password, keyVersion: 7).RollKeys("gw", "new one");
        var tgt = await new WireClient(realm, "gw", "new one").LogOnAsync();
        tgt.Reply.EncryptedPart.KeyVersion.ShouldBe(8u);
        var late = new WireClient(realm, "gw", Password);
        var key = late.KeyFrom(KrbError.Decode(await late.AskAsync(late.AsBody())));
        WireClient.ShouldBeError(await late.AskAsync(late.AsBody(), late.Timestamp(key)), KerberosErrorCode.PreAuthenticationFailed);
    }

    [Fact]
    public async Task The_realm_of_a_user_is_answered_without_pre_authentication()
    {
        await using var realm = TestRealm.Start().User("ada", userPrincipalName: "ada@corp.example");
        var client = new WireClient(realm, "", "");
        foreach (var name in new[] { "ada@corp.example", "ada@contoso.test" })
            WireClient.ShouldBeError(await client.AskAsync(client.AsBody() with { Client = new PrincipalName(10, [name]) }),
                KerberosErrorCode.PreAuthenticationRequired);
        WireClient.ShouldBeError(await client.AskAsync(client.AsBody() with { Client = new PrincipalName(10, ["eve@corp.example"]) }),
            KerberosErrorCode.ClientPrincipalUnknown);
        realm.Transcript.ShouldBe(["FIND ada@corp.example ok", "FIND ada@contoso.test ok",
            "FIND eve@corp.example KDC_ERR_C_PRINCIPAL_UNKNOWN"]);
    }

    private static string? ReadSalt(KrbError error) =>
        EtypeInfo2Entry.DecodeList(PaData.DecodeMethodData(error.Data).Find(PaDataType.EtypeInfo2)!.Value)[0].Salt;
}
